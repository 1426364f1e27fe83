import { encode } from 'dns-packet'
import { expect, test } from 'vitest'
import { readReply } from './read-reply.ts'

test('another resolver\'s answer is read, its compressed names written out', () => {
  const bytes = encode({
    type: 'response', id: 1, flags: 0x183, questions: [{ name: 'a.test', type: 'MX' }],
    answers: [
      { name: 'a.test', type: 'CNAME', ttl: 7, data: 'b.test' }, { name: 'b.test', type: 'MX', ttl: 8, data: { preference: 10, exchange: 'm.b.test' } }, { name: 'b.test', type: 'A', ttl: 9, data: '192.0.2.1' },
    ],
    authorities: [
      { name: 'test', type: 'NS', ttl: 1, data: 'ns.test' },
      { name: 'test', type: 'SOA', ttl: 6, data: { mname: 'ns.test', rname: 'who.test', serial: 5, refresh: 4, retry: 3, expire: 2, minimum: 1 } },
    ],
  })
  expect(readReply(bytes)).toEqual({
    rcode: 'NXDOMAIN', truncated: false,
    answers: [
      { name: 'a.test', ttl: 7, type: 'CNAME', target: 'b.test' },
      { name: 'b.test', ttl: 8, type: 'RAW', number: 15, data: Buffer.from('\0\x0a\x01m\x01b\x04test\0') },
      { name: 'b.test', ttl: 9, type: 'RAW', number: 1, data: Buffer.from([192, 0, 2, 1]) },
    ],
    authority: [{ name: 'test', ttl: 6, type: 'SOA', mname: 'ns.test', rname: 'who.test', serial: 5, refresh: 4, retry: 3, expire: 2, minimum: 1 }],
  })
})

test('an answer that announces more records than it holds is read as far as it goes when it ends between two, and refused when within one', () => {
  const bytes = encode({ type: 'response', id: 1, flags: 0x380, questions: [{ name: 'a.test', type: 'A' }], answers: [{ name: 'a.test', type: 'A', ttl: 9, data: '192.0.2.1' }] })
  bytes.writeUInt16BE(65535, 6)
  expect(readReply(bytes)).toMatchObject({ truncated: true, answers: [{ name: 'a.test' }] })
  expect(() => readReply(bytes.subarray(0, bytes.length - 2))).toThrow(RangeError)
})
