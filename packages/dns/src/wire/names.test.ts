import { describe, expect, test } from 'vitest'
import { isSendable, labelBytes, readName, skipName } from './names.ts'

const bytes = (...parts: (string | number)[]): Buffer => Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part, 'latin1'))))

describe('a name on the wire', () => {
  test.each([
    ['plain labels, as they are', bytes(3, 'Web', 4, '_tcp', 0), 0, 'Web._tcp', 10],
    ['the root', bytes(0), 0, '', 1],
    ['bytes that are no UTF-8', bytes(2, '\xff\xfe', 1, 'a', 0), 0, '\\255\\254.a', 6],
    ['a dot within a label, which parts nothing', bytes(3, 'a.b', 0), 0, 'a\\046b', 5],
    ['a backslash', bytes(1, '\\', 0), 0, '\\092', 3],
    ['a suffix that is pointed to', bytes(1, 'x', 0, 1, 'y', 0xc0, 0, 9), 3, 'y.x', 7],
    ['a pointer to a pointer', bytes(1, 'x', 0, 0xc0, 0, 0xc0, 3), 5, 'x', 7],
  ])('is read: %s', (_, message, at, name, next) => {
    expect(readName(message, at)).toEqual({ name, next })
    expect(skipName(message, at)).toBe(next)
  })

  test.each([
    ['points to itself', bytes(0xc0, 0), 0],
    ['points forward', bytes(0xc0, 2, 1, 'a', 0), 0],
    ['points into a loop of two', bytes(0xc0, 2, 0xc0, 0), 2],
    ['points back into itself', bytes(1, 'a', 0xc0, 0), 0],
    ['has no end', bytes(1, 'a'), 0],
    ['has a label that is cut off', bytes(5, 'ab'), 0],
    ['has a label of a reserved kind', bytes(0x80, 0), 0],
    ['is longer than 255 bytes', Buffer.concat([...Array.from({ length: 4 }, () => bytes(63, 'a'.repeat(63))), bytes(0)]), 0],
  ])('that %s is refused', (_, message, at) => {
    expect(() => readName(message, at)).toThrow(RangeError)
  })

  test('gives its bytes back, every one of them', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    for (let i = 0; i < 256; i += 32) {
      const label = all.subarray(i, i + 32)
      expect(Buffer.from(labelBytes(readName(Buffer.concat([Buffer.from([32]), label, Buffer.from([0])]), 0).name), 'latin1')).toEqual(label)
    }
  })

  test.each([
    ['www.example.com', true], ['a'.repeat(63), true], ['a'.repeat(64), false], [Array(127).fill('a').join('.'), true], [Array(128).fill('a').join('.'), false], ['', false], ['a..b', false], ['ü.de', false],
  ])('%s can be sent: %s', (name, sendable) => {
    expect(isSendable(name)).toBe(sendable)
  })
})
