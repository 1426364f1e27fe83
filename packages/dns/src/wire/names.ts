// Domain names inside this server are strings: labels joined by dots, without the final one. Every byte that is no letter, digit, `-` or `_` is written `\DDD` (RFC 1035,
// 5.1), a dot within a label, too. So a dot always parts two labels, no byte is lost, and a name that no object can have never looks like one that it has.

const plain = /^[0-9A-Za-z_-]+$/
const greatestName = 255

/** Reads the name at a place of a message, following compression. Gives the name and where the next field begins. Throws RangeError for what is no name. */
export function readName(message: Buffer, at: number): { name: string; next: number } {
  let name = ''
  let size = 1
  let next = -1
  // Each jump must lead further back than the last one: so there are no loops.
  let barrier = at
  for (;;) {
    const length = message.readUInt8(at)
    if (length >= 0xc0) {
      const target = message.readUInt16BE(at) & 0x3fff
      if (target >= barrier) throw new RangeError('a name points forward')
      if (next < 0) next = at + 2
      barrier = target
      at = target
      continue
    }
    if (length > 63) throw new RangeError('a label of an unknown kind')
    if (length === 0) return { name, next: next < 0 ? at + 1 : next }
    size += length + 1
    if (size > greatestName || at + 1 + length > message.length) throw new RangeError('a name is too long or cut off')
    const label = message.toString('latin1', at + 1, at + 1 + length)
    name += (name === '' ? '' : '.') + (plain.test(label) ? label : escape(label))
    at += 1 + length
  }
}

/** The place after a name, without reading it. Throws RangeError. */
export function skipName(message: Buffer, at: number): number {
  for (;;) {
    const length = message.readUInt8(at)
    if (length >= 0xc0) return at + 2
    if (length > 63) throw new RangeError('a label of an unknown kind')
    at += 1 + length
    if (length === 0) return at
  }
}

function escape(label: string): string {
  return label.replaceAll(/[^0-9A-Za-z_-]/g, (c) => `\\${String(c.charCodeAt(0)).padStart(3, '0')}`)
}

/** A label's bytes, each as a character of that code. */
export function labelBytes(label: string): string {
  return label.includes('\\') ? label.replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number(code))) : label
}

/** Whether a name, as objects have it, can be sent at all: labels of 63 bytes at most, 255 bytes together. */
export function isSendable(name: string): boolean {
  return name.length <= greatestName - 2 && name.split('.').every((label) => label.length <= 63 && plain.test(label))
}
