import type { Service } from '@berth/api/types/core/v1'
import { decode as decodePacket, type DecodedPacket, encode, type RecordType } from 'dns-packet'
import { describe, expect, test } from 'vitest'
import { DnsError } from '../errors.ts'
import { recordsOf } from '../zone/service-records.ts'
import { Zone } from '../zone/zone.ts'
import { Responder } from './responder.ts'

// The declarations forget the response code, which is there.
const decode = (bytes: Buffer): DecodedPacket & { rcode?: string } => decodePacket(bytes)

const zone = new Zone()
zone.setNamespace('default', true)
const put = (name: string, spec: Service['spec']): void => {
  zone.setService(`default/${name}`, recordsOf({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec }, []), 0)
}
const inside = (name: string): string => `${name}.default.svc.cluster.local`
const external = (name: string, externalName: string): void => put(name, { type: 'ExternalName', externalName })
put('web', { clusterIP: '10.96.0.1' })
external('one', inside('two'))
external('two', inside('web'))
external('gone', inside('nothing'))
external('self', inside('self'))
external('left', inside('right'))
external('right', inside('left'))
external('outside', 'www.example.com')
for (let i = 0; i < 12; i++) external(`chain-${i}`, inside(i === 11 ? 'web' : `chain-${i + 1}`))

const noUpstream = async (): Promise<Buffer> => {
  throw new DnsError('Upstream', 'there is none')
}

function responder(forward: (query: Buffer, protocol: 'udp' | 'tcp') => Promise<Buffer> = noUpstream, synced = true): Responder {
  return new Responder({ zone, settings: { zone: 'cluster.local', ttl: 5, nameServer: ['10.96.0.10'] }, forwarder: { forward }, synced: () => synced, random: () => 0, observe: () => {} })
}

async function ask(name: string, type: RecordType = 'A', by = responder()): Promise<ReturnType<typeof decode>> {
  const answer = await by.respond(encode({ type: 'query', id: 5, flags: 0x100, questions: [{ name, type, class: 'IN' }] }), 'udp')
  return decode(answer ?? Buffer.alloc(0))
}

const data = (packet: DecodedPacket): unknown[] => (packet.answers ?? []).map((record) => ('data' in record ? record.data : undefined))
const authority = (packet: DecodedPacket): string[] => (packet.authorities ?? []).map((record) => `${record.type} ${record.name}`)
const soa = 'SOA cluster.local'

describe('an ExternalName within the cluster', () => {
  test.each([
    ['is followed to the address', 'one', [inside('two'), inside('web'), '10.96.0.1'], 'NOERROR', []],
    ['without an end does not exist, and the way there is told', 'gone', [inside('nothing')], 'NXDOMAIN', [soa]],
    ['that leads to itself has no records', 'self', [], 'NOERROR', [soa]],
    ['that leads round has no records', 'left', [], 'NOERROR', [soa]],
    ['that leads over more names than are followed has no records', 'chain-0', [], 'NOERROR', [soa]],
    ['that leads over as many as are followed has them', 'chain-5', [...[6, 7, 8, 9, 10, 11].map((i) => inside(`chain-${i}`)), inside('web'), '10.96.0.1'], 'NOERROR', []],
  ])('%s', async (_, name, want, rcode, soas) => {
    const answer = await ask(inside(name))
    expect([data(answer), answer.rcode, authority(answer)]).toEqual([want, rcode, soas])
  })
})

describe('an ExternalName that leads out', () => {
  const target = { name: 'www.example.com', type: 'A' as const }
  const foreignSoa = { name: 'example.com', type: 'SOA' as const, ttl: 30, data: { mname: 'ns.example.com', rname: 'who.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 } }

  test('that does not exist is NXDOMAIN, with the way there and the SOA of who says so', async () => {
    const answer = await ask(inside('outside'), 'A', responder(async () => encode({ type: 'response', id: 0, flags: 0x183, questions: [target], authorities: [foreignSoa] })))
    expect([answer.rcode, data(answer), authority(answer)]).toEqual(['NXDOMAIN', ['www.example.com'], ['SOA example.com']])
  })

  test('and is answered with SERVFAIL is SERVFAIL', async () => {
    expect((await ask(inside('outside'), 'A', responder(async () => encode({ type: 'response', id: 0, flags: 0x182, questions: [target] })))).rcode).toBe('SERVFAIL')
  })

  test('whose answer is truncated is asked for again by TCP', async () => {
    const asked: string[] = []
    const answer = await ask(inside('outside'), 'A', responder(async (_, protocol) => {
      asked.push(protocol)
      const answers = protocol === 'tcp' ? [{ ...target, ttl: 9, data: '192.0.2.1' }, { ...target, ttl: 9, data: '192.0.2.2' }] : []
      return encode({ type: 'response', id: 0, flags: protocol === 'tcp' ? 0x180 : 0x380, questions: [target], answers })
    }))
    expect([asked, data(answer), answer.flag_tc]).toEqual([['udp', 'tcp'], ['www.example.com', '192.0.2.2', '192.0.2.1'], false])
  })

  test('brings records of any type', async () => {
    const mx = { name: 'www.example.com', type: 'MX' as const, ttl: 3, data: { preference: 10, exchange: 'mail.example.com' } }
    const answer = await ask(inside('outside'), 'MX', responder(async () => encode({ type: 'response', id: 0, flags: 0x180, questions: [{ ...target, type: 'MX' }], answers: [mx] })))
    expect(data(answer)).toEqual(['www.example.com', { preference: 10, exchange: 'mail.example.com' }])
  })
})

describe('the flags of an answer', () => {
  test.each([
    ['of the zone have authority', inside('web'), {}, 'NOERROR', true, true],
    ['that a name of the zone does not exist have it', inside('nothing'), {}, 'NXDOMAIN', true, true],
    ['without an upstream resolver claim nothing', 'example.com', {}, 'SERVFAIL', false, false],
    ['before the zone is complete claim nothing', inside('nothing'), { synced: false }, 'SERVFAIL', false, false],
  ])('%s', async (_, name, { synced = true }: { synced?: boolean }, rcode, aa, ra) => {
    const answer = await ask(name, 'A', responder(noUpstream, synced))
    expect([answer.rcode, answer.flag_aa, answer.flag_ra, answer.flag_rd]).toEqual([rcode, aa, ra, true])
  })

  test('of a refused zone transfer claim nothing', async () => {
    const answer = await ask('cluster.local', 'AXFR')
    expect([answer.rcode, answer.flag_aa, answer.flag_ra]).toEqual(['REFUSED', false, false])
  })
})

describe('a question with bytes that are no text', () => {
  const header = Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const question = (...labels: string[]): Buffer => Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]), Buffer.from([0, 0, 1, 0, 1])])

  test('is repeated as it was, and what follows it points to the right places', async () => {
    const asked = question('\xff\xff', 'Cluster', 'local')
    const bytes = (await responder().respond(Buffer.concat([header, asked]), 'udp')) ?? Buffer.alloc(0)
    expect(bytes.subarray(12, 12 + asked.length)).toEqual(asked)
    const answer = decode(bytes)
    expect([answer.rcode, answer.authorities?.[0]?.name]).toEqual(['NXDOMAIN', 'Cluster.local'])
    expect(answer.authorities?.[0]).toMatchObject({ data: { mname: 'ns.dns.Cluster.local', rname: 'hostmaster.Cluster.local' } })
  })

  test('does not find a Service by a dot within a label', async () => {
    const bytes = await responder().respond(Buffer.concat([header, question('web.default', 'svc', 'cluster', 'local')]), 'udp')
    expect(decode(bytes ?? Buffer.alloc(0)).rcode).toBe('NXDOMAIN')
    const whole = await responder().respond(Buffer.concat([header, question('web.default.svc.cluster.local')]), 'udp')
    expect(decode(whole ?? Buffer.alloc(0)).rcode, 'it is no name of the zone').toBe('SERVFAIL')
  })
})
