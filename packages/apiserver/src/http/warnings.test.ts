import { describe, expect, it } from 'vitest'
import { headerBytes, warningHeaders } from './warnings.ts'

describe('warnings', () => {
  it('are quoted, each once, without control characters', () => {
    expect(warningHeaders(['unknown field "a\\b"', 'two\r\nlines', 'two\r\nlines'])).toEqual(['299 - "unknown field \\"a\\\\b\\""', '299 - "two  lines"'])
  })

  it('that are many or long are cut', () => {
    const texts = Array.from({ length: 100 }, (_, i) => `${i}${'x'.repeat(1000)}`)
    const made = warningHeaders(texts)
    expect(made.length).toBe(16)
    expect(made.every((value) => value.length === '299 - ""'.length + 256)).toBe(true)
  })

  it('beyond Latin-1 become bytes of UTF-8', () => {
    expect(Buffer.from(headerBytes('日本'), 'latin1').toString()).toBe('日本')
    expect(headerBytes('plain')).toBe('plain')
  })
})
