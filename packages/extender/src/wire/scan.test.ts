import { expect, test } from 'vitest'
import { scanList, scanObject, ScanError } from './scan.ts'

const valuesOf = (text: string): Record<string, string> => {
  const bytes = Buffer.from(text)
  return Object.fromEntries([...scanObject(bytes)].map(([key, { start, end }]) => [key, bytes.toString('utf8', start, end)]))
}

test.each<[string, string, Record<string, string>]>([
  ['nothing', ' { } ', {}],
  ['plain values', '{"a":1,"b":true,"c":null,"d":"x"}', { a: '1', b: 'true', c: 'null', d: '"x"' }],
  ['brackets and quotes in strings', String.raw`{"a":{"k":"}]\"{\\"},"b":["]",{"x":"\\\""}]}`, { a: String.raw`{"k":"}]\"{\\"}`, b: String.raw`["]",{"x":"\\\""}]` }],
  ['space everywhere', '{ "a" :\n [ 1 , 2 ] ,\t"b" : 2 }', { a: '[ 1 , 2 ]', b: '2' }],
  ['a key that is written with escapes', '{"\\u0050od":1}', { Pod: '1' }],
  ['text beyond ASCII', '{"a":"Zürich ☃","b":1}', { a: '"Zürich ☃"', b: '1' }],
])('finds %s', (_, text, wanted) => {
  expect(valuesOf(text)).toEqual(wanted)
})

test.each(['', '[]', '{', '{"a"', '{"a":', '{"a":}', '{"a":1', '{"a":1,', '{a:1}', '{"a":[1}', '{"a":"x}', '{"a":1 "b":2}'])('refuses %s', (text) => {
  expect(() => scanObject(Buffer.from(text))).toThrow(ScanError)
})

test('gives the items of a list', () => {
  const bytes = Buffer.from('[ {"a":[1]}, "x,y" , 3 ]')
  expect(scanList(bytes, 0).map(({ start, end }) => bytes.toString('utf8', start, end))).toEqual(['{"a":[1]}', '"x,y"', '3'])
})
