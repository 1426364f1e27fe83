import type { Json, JsonObject } from '../schema/model.ts'

/** A text that is not JSON. The message is what Go's encoding/json says of it. */
export class JsonSyntaxError extends Error {
  /** Where in the text (in characters) it went wrong. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.name = 'JsonSyntaxError'
    this.offset = offset
  }
}

export interface ParsedJson {
  readonly value: Json
  /** Paths (`data.a`, `spec.containers[0].name`) of fields that stand twice in one object; the last one counts. */
  readonly duplicates: string[]
}

/** Deeper nesting is refused. No API type comes near; the limit keeps recursion over parsed values safe. */
const maxDepth = 1000
/** As many duplicates are reported; upstream stops there too. */
const maxDuplicates = 100
/** Integers with up to 15 digits are exact in a double whatever they are. */
const safeDigits = 15
const maxSafe = BigInt(Number.MAX_SAFE_INTEGER)
const minSafe = -maxSafe
const maxInt64 = 2n ** 63n - 1n
const minInt64 = -(2n ** 63n)

/**
 * Parses a JSON text. Integers that a double cannot hold become bigints (within 64 bits; beyond, they are floats as in Go); invalid UTF-8 is
 * replaced by U+FFFD; duplicate keys are reported.
 * @throws JsonSyntaxError worded as Go's encoding/json
 */
export function parseJson(bytes: Uint8Array | string): ParsedJson {
  const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const parser = new Parser(text, typeof bytes === 'string' ? undefined : bytes)
  return { value: parser.document(), duplicates: parser.duplicates }
}

class Parser {
  readonly duplicates: string[] = []
  readonly #text: string
  readonly #bytes: Uint8Array | undefined
  #at = 0
  #depth = 0
  readonly #path: Array<string | number> = []

  constructor(text: string, bytes: Uint8Array | undefined) {
    this.#text = text
    this.#bytes = bytes
  }

  document(): Json {
    const value = this.#value()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('after top-level value')
    return value
  }

  #space(): number {
    const text = this.#text
    for (;;) {
      const c = text.charCodeAt(this.#at)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c
      this.#at++
    }
  }

  #value(): Json {
    const c = this.#space()
    switch (c) {
      case 0x7b: return this.#object()
      case 0x5b: return this.#array()
      case 0x22: return this.#string()
      case 0x74: return this.#literal('true', true)
      case 0x66: return this.#literal('false', false)
      case 0x6e: return this.#literal('null', null)
      default:
        if (c === 0x2d || (c >= 0x30 && c <= 0x39)) return this.#number(c)
        return this.#fail('looking for beginning of value')
    }
  }

  #enter(): void {
    if (++this.#depth > maxDepth) throw new JsonSyntaxError('exceeded max depth', this.#at)
    this.#at++
  }

  #object(): JsonObject {
    this.#enter()
    const object: JsonObject = {}
    if (this.#space() === 0x7d) return this.#leave(object)
    for (;;) {
      if (this.#space() !== 0x22) this.#fail('looking for beginning of object key string')
      const key = this.#string()
      if (this.#space() !== 0x3a) this.#fail('after object key')
      this.#at++
      this.#path.push(key)
      if (this.duplicates.length < maxDuplicates && Object.hasOwn(object, key)) this.duplicates.push(formatPath(this.#path))
      setOwn(object, key, this.#value())
      this.#path.pop()
      const c = this.#space()
      if (c === 0x7d) return this.#leave(object)
      if (c !== 0x2c) this.#fail('after object key:value pair')
      this.#at++
    }
  }

  #array(): Json[] {
    this.#enter()
    const array: Json[] = []
    if (this.#space() === 0x5d) return this.#leave(array)
    for (;;) {
      this.#path.push(array.length)
      array.push(this.#value())
      this.#path.pop()
      const c = this.#space()
      if (c === 0x5d) return this.#leave(array)
      if (c !== 0x2c) this.#fail('after array element')
      this.#at++
    }
  }

  #leave<T>(value: T): T {
    this.#depth--
    this.#at++
    return value
  }

  #string(): string {
    const text = this.#text
    let start = ++this.#at
    let out = ''
    for (;;) {
      const c = text.charCodeAt(this.#at)
      if (c === 0x22) {
        out = out === '' ? text.slice(start, this.#at) : out + text.slice(start, this.#at)
        this.#at++
        return out
      }
      if (c === 0x5c) {
        out += text.slice(start, this.#at) + this.#escape()
        start = this.#at
      } else if (c < 0x20 || Number.isNaN(c)) {
        this.#fail('in string literal')
      } else {
        this.#at++
      }
    }
  }

  #escape(): string {
    const c = this.#text[++this.#at]
    const simple = c === undefined ? undefined : escapes[c]
    if (simple !== undefined) {
      this.#at++
      return simple
    }
    if (c !== 'u') this.#fail('in string escape code')
    let code = 0
    for (let i = 0; i < 4; i++) {
      const digit = hex(this.#text.charCodeAt(++this.#at))
      if (digit < 0) this.#fail('in \\u hexadecimal character escape')
      code = code * 16 + digit
    }
    this.#at++
    if (code < 0xd800 || code > 0xdfff) return String.fromCharCode(code)
    // Half of a pair is only good together with the other half, else it is U+FFFD as in Go.
    const next = /^\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(this.#text.slice(this.#at, this.#at + 6))
    if (code > 0xdbff || !next) return '�'
    this.#at += 6
    return String.fromCharCode(code, Number.parseInt(next[1] ?? '', 16))
  }

  #number(first: number): number | bigint {
    const text = this.#text
    const start = this.#at
    let c = first
    const next = (): number => text.charCodeAt(++this.#at)
    const digits = (where: string): void => {
      if (!isDigit(c)) this.#fail(where)
      while (isDigit(c)) c = next()
    }
    if (c === 0x2d) c = next()
    if (c === 0x30) c = next()
    else digits('in numeric literal')
    let integer = true
    if (c === 0x2e) {
      integer = false
      c = next()
      digits('after decimal point in numeric literal')
    }
    if (c === 0x65 || c === 0x45) {
      integer = false
      c = next()
      if (c === 0x2b || c === 0x2d) c = next()
      digits('in exponent of numeric literal')
    }
    const literal = text.slice(start, this.#at)
    if (integer && literal.length > safeDigits && literal.length <= 20) {
      const big = BigInt(literal)
      if ((big > maxSafe || big < minSafe) && big <= maxInt64 && big >= minInt64) return big
    }
    const value = Number(literal)
    if (!Number.isFinite(value)) throw new JsonSyntaxError(`json: cannot unmarshal number ${literal} into Go value of type float64`, start)
    return value === 0 ? 0 : value
  }

  #literal<T>(word: string, value: T): T {
    for (let i = 1; i < word.length; i++) {
      this.#at++
      if (this.#text[this.#at] !== word[i]) this.#fail(`in literal ${word} (expecting '${word[i]}')`)
    }
    this.#at++
    return value
  }

  #fail(context: string): never {
    const code = this.#text.codePointAt(this.#at)
    if (code === undefined) throw new JsonSyntaxError('unexpected end of JSON input', this.#at)
    throw new JsonSyntaxError(`invalid character ${code < 0x80 ? quoteCharacter(code) : quoteByte(this.#byte(code))} ${context}`, this.#at)
  }

  /** Go reads bytes, so of a character beyond ASCII it names the first one. */
  #byte(code: number): number {
    const encoder = new TextEncoder()
    return this.#bytes?.[encoder.encode(this.#text.slice(0, this.#at)).length] ?? encoder.encode(String.fromCodePoint(code))[0] ?? 0
  }
}

const escapes: Record<string, string> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39

function hex(c: number): number {
  if (isDigit(c)) return c - 0x30
  const lower = c | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function quoteByte(byte: number): string {
  return `'${byte < 0xa0 || byte === 0xad ? `\\u00${byte.toString(16)}` : String.fromCharCode(byte)}'`
}

function quoteCharacter(code: number): string {
  if (code === 0x27) return "'\\''"
  if (code === 0x22) return `'"'`
  if (code === 0x5c) return "'\\\\'"
  const named: Record<number, string> = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' }
  if (named[code]) return `'\\${named[code]}'`
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`
  return `'${String.fromCharCode(code)}'`
}

/** `spec.containers[0].name` for the keys and indexes that lead to a place. */
export function formatPath(path: ReadonlyArray<string | number>): string {
  let out = ''
  for (const part of path) out += typeof part === 'number' ? `[${part}]` : out === '' ? part : `.${part}`
  return out
}

/** Sets an own property whatever its name is (`__proto__` too). */
export function setOwn<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}
