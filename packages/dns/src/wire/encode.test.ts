import { decode, encode } from 'dns-packet'
import { describe, expect, test } from 'vitest'
import { encodeAnswer, encodeFailure } from './encode.ts'
import { readQuery } from './read-query.ts'
import type { Answer, ResourceRecord } from './records.ts'

function query(name: string, type: 'A' | 'SRV' = 'A', more: object = {}): Buffer {
  return encode({ type: 'query', id: 4711, flags: 0x100, questions: [{ name, type, class: 'IN' }], ...more })
}

function read(bytes: Buffer) {
  const result = readQuery(bytes)
  if (!('query' in result)) throw new Error('a bad query')
  return result.query
}

const answerOf = (answers: ResourceRecord[], additional: ResourceRecord[] = []): Answer => ({ rcode: 'NOERROR', answers, authority: [], additional })
const many = (count: number, name: string): ResourceRecord[] => Array.from({ length: count }, (_, i) => ({ name, ttl: 5, type: 'A', address: `10.244.${Math.floor(i / 250)}.${i % 250}` }))

describe('an answer on the wire', () => {
  test('is read by others as it was meant, with every kind of record', () => {
    const name = '_p._tcp.web.default.svc.cluster.local'
    const records: ResourceRecord[] = [
      { name, ttl: 5, type: 'SRV', priority: 0, weight: 100, port: 80, target: 'web.default.svc.cluster.local' },
      { name, ttl: 5, type: 'AAAA', address: 'fd00::1:5' },
      { name, ttl: 5, type: 'TXT', text: '1.1.0' },
      { name, ttl: 5, type: 'CNAME', target: 'www.example.com' },
      { name: 'cluster.local', ttl: 5, type: 'SOA', mname: 'ns.dns.cluster.local', rname: 'hostmaster.cluster.local', serial: 4_000_000_000, refresh: 7200, retry: 1800, expire: 86400, minimum: 5 },
    ]
    const packet = decode(encodeAnswer(read(query(name, 'SRV')), answerOf(records, many(1, 'web.default.svc.cluster.local')), 1232))
    expect(packet).toMatchObject({ id: 4711, type: 'response', rcode: 'NOERROR', flag_aa: true, flag_rd: true, flag_ra: true, flag_tc: false, questions: [{ name, type: 'SRV' }] })
    expect(packet.answers?.map((record) => [record.name, record.type, 'data' in record ? record.data : undefined])).toEqual([
      [name, 'SRV', { priority: 0, weight: 100, port: 80, target: 'web.default.svc.cluster.local' }],
      [name, 'AAAA', 'fd00::1:5'],
      [name, 'TXT', [Buffer.from('1.1.0')]],
      [name, 'CNAME', 'www.example.com'],
      ['cluster.local', 'SOA', { mname: 'ns.dns.cluster.local', rname: 'hostmaster.cluster.local', serial: 4_000_000_000, refresh: 7200, retry: 1800, expire: 86400, minimum: 5 }],
    ])
    expect(packet.additionals?.[0]).toMatchObject({ name: 'web.default.svc.cluster.local', type: 'A', data: '10.244.0.0' })
  })

  test('repeats the case of the question and points to it: an address costs 16 bytes', () => {
    const name = 'WeB.default.svc.cluster.local'
    const one = encodeAnswer(read(query(name)), answerOf(many(1, name)), 512)
    const two = encodeAnswer(read(query(name)), answerOf(many(2, name)), 512)
    expect(decode(one).questions?.[0]?.name).toBe(name)
    expect(two.length - one.length).toBe(16)
  })

  test('that is too long loses its additional section first, then says that it is truncated', () => {
    const name = 'db.default.svc.cluster.local'
    const q = read(query(name))
    const light = decode(encodeAnswer(q, answerOf(many(20, name), many(20, 'x.cluster.local')), 512))
    expect([light.answers?.length, light.additionals?.length, light.flag_tc]).toEqual([20, 0, false])
    const bytes = encodeAnswer(q, answerOf(many(300, name)), 512)
    const heavy = decode(bytes)
    expect([bytes.length <= 512, heavy.flag_tc, heavy.answers?.length]).toEqual([true, true, 29])
    expect(decode(encodeAnswer(q, answerOf(many(300, name)), 65535)).answers).toHaveLength(300)
  })

  test('has EDNS where the question had it', () => {
    const opt = { type: 'OPT' as const, name: '.' as const, udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] }
    const q = read(query('a.b', 'A', { additionals: [opt] }))
    expect(q.udpSize).toBe(4096)
    expect(decode(encodeAnswer(q, answerOf([]), 1232)).additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }])
    const wrong = readQuery(query('a.b', 'A', { additionals: [{ ...opt, ednsVersion: 1 }] }))
    if (!('bad' in wrong)) throw new Error('not refused')
    expect(decode(encodeFailure(wrong.bad)).additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }])
  })
})

test.each<[string, Buffer, string, boolean]>([
  ['shorter than a header', Buffer.alloc(11), 'FORMERR', true],
  ['an answer', encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }] }), 'FORMERR', true],
  ['without question', encode({ type: 'query', id: 1 }), 'FORMERR', false],
  ['with two questions', encode({ type: 'query', id: 1, questions: [{ name: 'a', type: 'A' }, { name: 'b', type: 'A' }] }), 'FORMERR', false],
  ['of another operation', encode({ type: 'query', id: 1, flags: 5 << 11, questions: [{ name: 'a', type: 'A' }] }), 'NOTIMP', false],
  ['cut off', query('web.default.svc.cluster.local').subarray(0, 30), 'FORMERR', false],
  ['pointing to itself', Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]), 'FORMERR', false],
])('a message %s is not answered as a query', (_, bytes, rcode, ignore) => {
  expect(readQuery(bytes)).toMatchObject({ bad: { rcode, ignore } })
})

test('no bytes at all make the reader throw', () => {
  let seed = 5
  const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n
  const whole = query('web.default.svc.cluster.local')
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(whole.subarray(0, random(whole.length + 1)))
    for (let flips = random(6); flips > 0 && bytes.length > 0; flips--) bytes[random(bytes.length)] = random(256)
    const result = readQuery(bytes)
    if ('query' in result) encodeAnswer(result.query, answerOf([]), 512)
  }
  expect(readQuery(whole)).toHaveProperty('query')
})
