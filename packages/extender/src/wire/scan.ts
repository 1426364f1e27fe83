const quote = 0x22
const backslash = 0x5c
const braceOpen = 0x7b
const braceClose = 0x7d
const bracketOpen = 0x5b
const bracketClose = 0x5d
const comma = 0x2c
const colon = 0x3a

/** The text is no JSON, as far as it was looked at. */
export class ScanError extends Error {
  override readonly name = 'ScanError'
}

/** A value's place in a text: from `start` up to, not including, `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

function skipSpace(text: Uint8Array, at: number): number {
  let i = at
  for (;;) {
    const c = text[i]
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return i
    i++
  }
}

/** The end of the string that begins at `at`, where its opening quote stands. */
function skipString(text: Buffer, at: number): number {
  let i = at + 1
  for (;;) {
    const end = text.indexOf(quote, i)
    if (end < 0) throw new ScanError(`a string that begins at byte ${at} has no end`)
    let slashes = 0
    while (text[end - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return end + 1
    i = end + 1
  }
}

/** The end of the value that begins at `at`. What is inside of objects and lists is not looked at: who reads it parses it. */
function skipValue(text: Buffer, at: number): number {
  const first = text[at]
  if (first === quote) return skipString(text, at)
  if (first !== braceOpen && first !== bracketOpen) {
    let i = at
    for (; i < text.length; i++) {
      const c = text[i]
      if (c === comma || c === braceClose || c === bracketClose || c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) break
    }
    if (i === at) throw new ScanError(`there is no value at byte ${at}`)
    return i
  }
  let depth = 0
  let inString = false
  for (let i = at; i < text.length; i++) {
    const c = text[i]
    if (inString) {
      if (c === backslash) i++
      else if (c === quote) inString = false
    } else if (c === quote) inString = true
    else if (c === braceOpen || c === bracketOpen) depth++
    else if ((c === braceClose || c === bracketClose) && --depth === 0) return i + 1
  }
  throw new ScanError(`an object or list that begins at byte ${at} has no end`)
}

/** The places of an object's values, by their keys; `at` is where its brace stands. */
export function scanObject(text: Buffer, at = 0): Map<string, Range> {
  const fields = new Map<string, Range>()
  let i = skipSpace(text, at)
  if (text[i] !== braceOpen) throw new ScanError(`there is no object at byte ${i}`)
  i = skipSpace(text, i + 1)
  if (text[i] === braceClose) return fields
  for (;;) {
    if (text[i] !== quote) throw new ScanError(`there is no key at byte ${i}`)
    const keyEnd = skipString(text, i)
    const key = JSON.parse(text.toString('utf8', i, keyEnd)) as string
    i = skipSpace(text, keyEnd)
    if (text[i] !== colon) throw new ScanError(`there is no colon at byte ${i}`)
    const start = skipSpace(text, i + 1)
    const end = skipValue(text, start)
    fields.set(key, { start, end })
    i = skipSpace(text, end)
    if (text[i] === braceClose) return fields
    if (text[i] !== comma) throw new ScanError(`there is no comma at byte ${i}`)
    i = skipSpace(text, i + 1)
  }
}

/** The places of a list's items; `at` is where its bracket stands. */
export function scanList(text: Buffer, at: number): Range[] {
  const items: Range[] = []
  let i = skipSpace(text, at)
  if (text[i] !== bracketOpen) throw new ScanError(`there is no list at byte ${i}`)
  i = skipSpace(text, i + 1)
  if (text[i] === bracketClose) return items
  for (;;) {
    const end = skipValue(text, i)
    items.push({ start: i, end })
    i = skipSpace(text, end)
    if (text[i] === bracketClose) return items
    if (text[i] !== comma) throw new ScanError(`there is no comma at byte ${i}`)
    i = skipSpace(text, i + 1)
  }
}
