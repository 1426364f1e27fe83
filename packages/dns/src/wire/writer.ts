import ipaddr from 'ipaddr.js'
import { labelBytes } from './names.ts'

// Messages are written one at a time, and copied out when done. A record that does not fit any more may still be written to its end before it is taken back.
const space = Buffer.allocUnsafeSlow(2 * 65536 + 1024)
const greatestPointer = 0x3fff

/** Writes one message. Names are compressed: a suffix that was written before is pointed to. Only one writer may be in use at a time. */
export class Writer {
  readonly #names = new Map<string, number>()
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Takes back what was written after this place. Nothing but the root's name may be written from then on. */
  cut(length: number): void {
    this.#length = length
  }

  u8(number: number): void {
    this.#length = space.writeUInt8(number, this.#length)
  }

  u16(number: number): void {
    this.#length = space.writeUInt16BE(number, this.#length)
  }

  u32(number: number): void {
    this.#length = space.writeUInt32BE(number, this.#length)
  }

  /** Overwrites 16 bits that were written before. */
  u16At(at: number, number: number): void {
    space.writeUInt16BE(number, at)
  }

  bytes(bytes: Uint8Array | readonly number[]): void {
    space.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** The question section, of one question with this name. */
  question(bytes: Buffer, name: string): void {
    let offset = this.#length
    this.bytes(bytes)
    if (name === '') return
    const labels = name.toLowerCase().split('.')
    for (let i = 0; i < labels.length; i++) {
      this.#names.set(labels.slice(i).join('.'), offset)
      offset += 1 + labelBytes(labels[i] ?? '').length
    }
  }

  name(name: string): void {
    const lower = name.toLowerCase()
    for (let at = 0; at < name.length;) {
      const rest = at === 0 ? lower : lower.slice(at)
      const known = this.#names.get(rest)
      if (known !== undefined) return this.u16(0xc000 + known)
      if (this.#length <= greatestPointer) this.#names.set(rest, this.#length)
      const dot = name.indexOf('.', at)
      const end = dot < 0 ? name.length : dot
      this.#label(name.slice(at, end))
      at = end + 1
    }
    this.u8(0)
  }

  #label(label: string): void {
    const bytes = labelBytes(label)
    this.u8(bytes.length)
    this.#length += space.write(bytes, this.#length, 'latin1')
  }

  /** An IP address's bytes. The address must be a valid one. */
  address(address: string): void {
    if (address.includes(':')) return this.bytes(ipaddr.parse(address).toByteArray())
    let number = 0
    for (let i = 0; i < address.length; i++) {
      const digit = address.charCodeAt(i) - 48
      if (digit >= 0) number = number * 10 + digit
      else {
        this.u8(number)
        number = 0
      }
    }
    this.u8(number)
  }

  /** The length, in 16 bits, of what was written after `at` and those bits. */
  size(at: number): void {
    this.u16At(at, this.#length - at - 2)
  }

  message(): Buffer {
    return Buffer.from(space.subarray(0, this.#length))
  }
}
