// As much of DER (X.690) as a PKCS#10 request needs: values, one after the other and one inside of another.

/** One value: its tag, its content, and all of it. */
export interface DerValue {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

/** What is no DER. */
export class DerError extends Error {}

/** The values that the bytes are made of. Throws DerError where they end early or a length is not in its shortest form. */
export function readDer(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0
    if ((tag & 0x1f) === 0x1f) throw new DerError('asn1: structure error: tags beyond 30 are not expected')
    const first = bytes[at + 1]
    if (first === undefined) throw new DerError('asn1: syntax error: truncated tag or length')
    let start = at + 2
    let length = first
    if (first >= 0x80) {
      const count = first & 0x7f
      if (count === 0 || count > 4) throw new DerError('asn1: structure error: length too large')
      length = 0
      for (const byte of bytes.subarray(start, start + count)) length = length * 256 + byte
      start += count
      if (length < 0x80) throw new DerError('asn1: structure error: non-minimal length')
    }
    if (start + length > bytes.length) throw new DerError('asn1: syntax error: data truncated')
    values.push({ tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) })
    at = start + length
  }
  return values
}

/** `1.2.840.10045.4.3.2` */
export function oidOf({ content }: DerValue): string {
  const numbers: number[] = []
  let number = 0
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    if (numbers.length === 0) numbers.push(...(number < 80 ? [Math.floor(number / 40), number % 40] : [2, number - 80]))
    else numbers.push(number)
    number = 0
  }
  return numbers.join('.')
}
