import { expect, test } from 'vitest'
import { scanList, scanObject, ScanError, skipValue } from './scan.ts'

const valuesOf = (text: string): Record<string, string> => {
  const bytes = Buffer.from(text)
  const values: Record<string, string> = {}
  scanObject(bytes, 0, (key, at) => {
    const end = skipValue(bytes, at)
    values[key] = bytes.toString('utf8', at, end)
    return end
  })
  return values
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
  expect(() => valuesOf(text)).toThrow(ScanError)
})

test('gives the items of a list', () => {
  const bytes = Buffer.from('[ {"a":[1]}, "x,y" , 3 ]')
  const items: string[] = []
  scanList(bytes, 0, (at) => {
    const end = skipValue(bytes, at)
    items.push(bytes.toString('utf8', at, end))
    return end
  })
  expect(items).toEqual(['{"a":[1]}', '"x,y"', '3'])
})
