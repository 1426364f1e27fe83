import fs from 'node:fs'
import path from 'node:path'
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import * as messages from './messages.ts'

const facts = process.env['BERTH_FACTS']
const file = facts === undefined ? '' : path.join(facts, 'grpc/etcd-rpc.json')
const present = fs.existsSync(file)

describe.skipIf(!present)(`etcd's messages (${present ? 'facts/grpc' : 'skipped: BERTH_FACTS names no folder'})`, () => {
  const described = present ? JSON.parse(fs.readFileSync(file, 'utf8')) as { nested: { etcdserverpb: { nested: Record<string, object> } } } : undefined
  // The messages of etcd's own users refer to types that the descriptor lacks.
  for (const name of Object.keys(described?.nested.etcdserverpb.nested ?? {})) if (name.startsWith('Auth')) delete described?.nested.etcdserverpb.nested[name]
  const root = protobuf.Root.fromJSON((described ?? {}) as protobuf.INamespace)
  const type = (name: string): protobuf.Type => root.lookupType(`etcdserverpb.${name}`)
  const read = (name: string, bytes: Uint8Array): unknown => type(name).toObject(type(name).decode(bytes), { longs: Number, bytes: String })
  const write = (name: string, object: object): Uint8Array => type(name).encode(type(name).fromObject(object)).finish()
  const base64 = (text: string): string => Buffer.from(text).toString('base64')

  it('that are sent say what is meant', () => {
    expect(read('RangeRequest', messages.encodeRange({ key: 'a', rangeEnd: 'b', limit: 300, revision: 2 ** 40, countOnly: true }))).toEqual({ key: base64('a'), range_end: base64('b'), limit: 300, revision: 2 ** 40, count_only: true })
    expect(read('RangeRequest', messages.encodeRange({ key: '\0', rangeEnd: '\0' }))).toEqual({ key: base64('\0'), range_end: base64('\0') })
    expect(read('TxnRequest', messages.encodeTxn({
      compare: [{ key: 'a', modRevision: 0 }, { key: 'v', version: 3 }],
      success: [{ put: { key: 'a', value: Buffer.from('x'.repeat(300)), lease: 77n } }, { deleteRange: { key: 'b', rangeEnd: 'c' } }], failure: [{ range: { key: 'a' } }],
    }))).toEqual({
      compare: [{ target: 2, key: base64('a'), mod_revision: 0 }, { key: base64('v'), version: 3 }],
      success: [{ request_put: { key: base64('a'), value: base64('x'.repeat(300)), lease: 77 } }, { request_delete_range: { key: base64('b'), range_end: base64('c') } }],
      failure: [{ request_range: { key: base64('a') } }],
    })
    expect(read('CompactionRequest', messages.encodeCompaction(9))).toEqual({ revision: 9 })
    expect(read('LeaseGrantRequest', messages.encodeLeaseGrant(60))).toEqual({ TTL: 60 })
    expect(read('WatchRequest', messages.encodeWatchCreate({ key: 'a', rangeEnd: 'b', startRevision: 5 }))).toEqual({ create_request: { key: base64('a'), range_end: base64('b'), start_revision: 5, progress_notify: true } })
  })

  it('that come are understood', () => {
    const kv = { key: Buffer.from('k'), create_revision: 2, mod_revision: 3, version: 4, value: Buffer.from('v'), lease: 5 }
    const want = { key: 'k', createRevision: 2, modRevision: 3, version: 4, value: new Uint8Array(Buffer.from('v')) }
    expect(messages.decodeRange(write('RangeResponse', { header: { revision: 8, raft_term: 2 }, kvs: [kv, kv], more: true, count: 7 }))).toEqual({ revision: 8, kvs: [want, want], more: true })
    expect(messages.decodeTxn(write('TxnResponse', { header: { revision: 8 }, succeeded: true, responses: [{ response_put: {} }, { response_range: { header: { revision: 8 }, kvs: [kv] } }] }))).toEqual({ revision: 8, succeeded: true, ranges: [{ revision: 8, kvs: [want], more: false }] })
    expect(messages.decodeLeaseGrant(write('LeaseGrantResponse', { ID: '7587854471214419200', TTL: 60 }))).toEqual({ id: 7587854471214419200n, ttlSeconds: 60 })
    expect(messages.decodeStatus(write('StatusResponse', { version: '3.5.21', dbSize: 4096, leader: 1 }))).toEqual({ version: '3.5.21', dbSize: 4096 })
    expect(messages.decodeWatch(write('WatchResponse', { header: { revision: 8 }, watch_id: 1, events: [{ kv }, { type: 1, kv: { key: Buffer.from('k'), mod_revision: 3 } }] }))).toEqual({
      revision: 8, created: false, canceled: false, compactRevision: 0, cancelReason: '',
      events: [{ type: 'PUT', kv: want }, { type: 'DELETE', kv: { key: 'k', createRevision: 0, modRevision: 3, version: 0, value: new Uint8Array() } }],
    })
    expect(messages.decodeWatch(write('WatchResponse', { header: { revision: 8 }, canceled: true, compact_revision: 6, cancel_reason: 'compacted' }))).toMatchObject({ canceled: true, compactRevision: 6, cancelReason: 'compacted' })
  })
})
