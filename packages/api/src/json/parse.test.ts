import { describe, expect, it } from 'vitest'
import { JsonSyntaxError, parseJson } from './parse.ts'
import { stringifyJson } from './stringify.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('parseJson', () => {
  it.each<[string, unknown]>([
    ['{"a":[1,-2.5e3,true,false,null,"x"]}', { a: [1, -2500, true, false, null, 'x'] }],
    [' {"a" : { } , "b":[ ]}\n', { a: {}, b: [] }],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9223372036854775808', 9223372036854775808],
    ['"\\u00e9\\n\\ud83d\\ude00"', 'é\n😀'],
    ['"\\ud83d"', '�'],
    ['{"constructor":1}', { constructor: 1 }],
  ])('reads %s', (text, want) => {
    expect(parseJson(bytes(text)).value).toEqual(want)
  })

  it('keeps a key named __proto__ as an own property', () => {
    const value = parseJson('{"__proto__":{"x":1}}').value as Record<string, unknown>
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('replaces invalid UTF-8', () => {
    expect(parseJson(new Uint8Array([0x22, 0xff, 0x22])).value).toBe('�')
  })

  it('reports the paths of duplicate keys and lets the last one count', () => {
    expect(parseJson('{"a":1,"b":{"c":1,"c":2},"l":[{"x":1,"x":3}],"a":4}')).toEqual({ value: { a: 4, b: { c: 2 }, l: [{ x: 3 }] }, duplicates: ['b.c', 'l[0].x', 'a'] })
  })

  it.each([
    ['', 'unexpected end of JSON input'],
    ['{"kind": ', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['{"a":1}}', "invalid character '}' after top-level value"],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['nul', 'unexpected end of JSON input'],
    ['trap', "invalid character 'a' in literal true (expecting 'u')"],
    [`${'['.repeat(2000)}`, 'exceeded max depth'],
  ])('refuses %s as Go does', (text, message) => {
    expect(() => parseJson(text)).toThrow(JsonSyntaxError)
    expect(() => parseJson(text)).toThrow(message)
  })
})

describe('parseJson, of bytes beyond ASCII', () => {
  it.each<[number[], string]>([
    [[0x9e], "invalid character '\\u009e' looking for beginning of value"],
    [[0x5b, 0xc3, 0xa9], "invalid character 'Ã' looking for beginning of value"],
  ])('names the first byte of %j', (bytes, message) => {
    expect(() => parseJson(new Uint8Array(bytes))).toThrow(message)
  })
})

describe('stringifyJson', () => {
  it('writes bigints as integers', () => {
    expect(stringifyJson({ a: 9007199254740993n, b: [1n, 'x', undefined], c: undefined })).toBe('{"a":9007199254740993,"b":[1,"x",null]}')
  })
})
