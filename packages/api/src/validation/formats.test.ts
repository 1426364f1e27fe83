import { describe, expect, it } from 'vitest'
import { fieldErrorBody, fieldErrorMessage, goQuote, invalid, tooLong, tooMany } from './field-errors.ts'
import { configMapKey, dns1123Label, envVarName, portName, qualifiedName, wildcardDns1123Subdomain } from './formats.ts'
import { canonicalIp, checkCidr, checkIp, checkNonSpecialIp } from './ip.ts'

describe('a format', () => {
  it.each<[string, (value: string) => string[], string, number]>([
    ['a label', dns1123Label, 'a-1', 0], ['a label with dots', dns1123Label, 'a.b', 1], ['a long label', dns1123Label, 'a'.repeat(64), 1], ['a port name', portName, 'http', 0], ['a port of digits', portName, '80', 1],
    ['a port with dashes', portName, '-a--b', 2], ['a label key', qualifiedName, 'a.b/C_d', 0], ['a label key without a name', qualifiedName, 'a/', 2], ['a label key of three parts', qualifiedName, 'a/b/c', 1],
    ['a file name', configMapKey, '.a', 0], ['a file name above', configMapKey, '..a', 1], ['a variable', envVarName, '1 a', 0], ['a variable beyond ASCII', envVarName, 'ä', 1], ['a wildcard', wildcardDns1123Subdomain, '*.a.b', 0],
  ])('%s has its problems', (_, format, value, count) => {
    expect(format(value)).toHaveLength(count)
  })
})

describe('an address', () => {
  it.each([
    ['10.0.0.1', 0], ['2001:db8::1', 0], ['010.0.0.1', 1], ['10.0.0', 1], ['::ffff:1.2.3.4', 1], ['fe80::1%eth0', 1], ['', 1],
  ])('%s has %i problems', (text, count) => {
    expect(checkIp('f', text)).toHaveLength(count)
  })

  it.each([
    ['10.0.0.0/8', ''], ['10.0.0.1/8', 'must not have bits set beyond the prefix length'], ['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'], ['10.0.0.0', 'must be a valid CIDR value'],
    ['10.0.0.0/33', 'must be a valid CIDR value'], ['fd00::/8', ''], ['fd00::1/64', 'must not have bits set beyond'], ['::ffff:1.2.3.0/120', 'must not have an IPv4-mapped IPv6 address'],
  ])('%s as a network: %s', (text, problem) => {
    expect(checkCidr('f', text)[0]?.detail ?? '').toContain(problem)
    expect(checkCidr('f', text)).toHaveLength(problem === '' ? 0 : 1)
  })

  it.each([['127.0.0.1', 'loopback'], ['::1', 'loopback'], ['0.0.0.0', 'unspecified'], ['169.254.3.4', 'link-local range'], ['fe80::1', 'link-local range'], ['224.0.0.5', 'multicast'], ['ff02::1', 'multicast'], ['8.8.8.8', undefined]])('%s is special: %s', (text, why) => {
    const [error] = checkNonSpecialIp('f', text)
    if (why === undefined) expect(error).toBeUndefined()
    else expect(error?.detail).toContain(why)
  })

  it.each([['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], ['::', '::'], ['1:0:0:2:0:0:0:3', '1:0:0:2::3'], ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'], ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'], ['::1.2.3.4', '::102:304']])('%s is written %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical)
  })
})

describe('a field error', () => {
  it('prints values as Go does', () => {
    expect(fieldErrorMessage(invalid('a.b', 'x"\n\u0001', 'why'))).toBe('a.b: Invalid value: "x\\"\\n\\x01": why')
    expect(fieldErrorBody(invalid('a', { html: '<&>' }, ''))).toBe('Invalid value: {"html":"\\u003c\\u0026\\u003e"}')
    expect(fieldErrorBody(invalid('a', undefined, 'why'))).toBe('Invalid value: null: why')
    expect(fieldErrorBody(tooLong('a', 5))).toBe('Too long: may not be more than 5 bytes')
    expect(fieldErrorBody(tooMany('a', 6, 5))).toBe('Too many: 6: must have at most 5 items')
    expect(goQuote('ä\u200b')).toBe('"ä\\u200b"')
  })
})
