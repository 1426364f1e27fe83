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

/** Passes over the value that begins at `at`; gives where it ends. */
export type Visit = (at: number) => number

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
  for (let i = at + 1; i < text.length; i++) {
    const c = text[i]
    if (c === backslash) i++
    else if (c === quote) return i + 1
  }
  throw new ScanError(`a string that begins at byte ${at} has no end`)
}

/** The end of the value that begins at `at`. What is inside of objects and lists is not looked at: who reads it parses it. */
export function skipValue(text: Buffer, at: number): number {
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
  for (let i = at; i < text.length; i++) {
    const c = text[i]
    if (c === quote) i = skipString(text, i) - 1
    else if (c === braceOpen || c === bracketOpen) depth++
    else if ((c === braceClose || c === bracketClose) && --depth === 0) return i + 1
  }
  throw new ScanError(`an object or list that begins at byte ${at} has no end`)
}

/** Goes through an object; `visit` says for each key where its value ends. Gives where the object ends. */
export function scanObject(text: Buffer, at: number, visit: (key: string, at: number) => number): number {
  let i = skipSpace(text, at)
  if (text[i] !== braceOpen) throw new ScanError(`there is no object at byte ${i}`)
  i = skipSpace(text, i + 1)
  if (text[i] === braceClose) return i + 1
  for (;;) {
    if (text[i] !== quote) throw new ScanError(`there is no key at byte ${i}`)
    const keyEnd = skipString(text, i)
    const key = JSON.parse(text.toString('utf8', i, keyEnd)) as string
    i = skipSpace(text, keyEnd)
    if (text[i] !== colon) throw new ScanError(`there is no colon at byte ${i}`)
    i = skipSpace(text, visit(key, skipSpace(text, i + 1)))
    if (text[i] === braceClose) return i + 1
    if (text[i] !== comma) throw new ScanError(`there is no comma at byte ${i}`)
    i = skipSpace(text, i + 1)
  }
}

/** Goes through a list; `visit` says where each item ends. Gives where the list ends. */
export function scanList(text: Buffer, at: number, visit: Visit): number {
  let i = skipSpace(text, at)
  if (text[i] !== bracketOpen) throw new ScanError(`there is no list at byte ${i}`)
  i = skipSpace(text, i + 1)
  if (text[i] === bracketClose) return i + 1
  for (;;) {
    i = skipSpace(text, visit(i))
    if (text[i] === bracketClose) return i + 1
    if (text[i] !== comma) throw new ScanError(`there is no comma at byte ${i}`)
    i = skipSpace(text, i + 1)
  }
}
