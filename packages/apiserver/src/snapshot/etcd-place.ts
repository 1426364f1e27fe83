// An etcd below one prefix.
import { etcdClient } from '../storage/etcd/client.ts'
import type { EtcdAddress, EtcdClient } from '../storage/etcd/client.ts'
import { normalPrefix, prefixEnd } from '../storage/etcd/etcd-storage.ts'
import type { StorageCodec } from '../storage/etcd/etcd-storage.ts'
import { LeaseManager } from '../storage/etcd/leases.ts'
import type { RequestOp } from '../storage/etcd/messages.ts'
import type { Place, WriteOptions } from './place.ts'
import { isPassing } from './record.ts'
import type { SnapshotRecord } from './record.ts'

/** Each revision is a write here; so many take a few seconds. */
const defaultBump = 10_000
const raiseKey = 'berth/raise-revision'
const raisers = 64
const raisedBetweenCompactions = 100_000
/** etcd takes 128 operations and 1.5 MiB a transaction. */
const batchOps = 100
const batchBytes = 1024 * 1024

export interface EtcdPlaceOptions extends EtcdAddress {
  prefix: string
  eventTtlSeconds: number
}

/** The place of an etcd. */
export function etcdPlace(options: EtcdPlaceOptions, codec: StorageCodec): Place {
  const client = etcdClient(options)
  const prefix = normalPrefix(options.prefix)
  const range = { key: `${prefix}/`, rangeEnd: prefixEnd(`${prefix}/`) }
  return {
    title: `etcd at ${options.servers.join(',')} below ${prefix}`,
    async read() {
      const pages = client.rangeAll(range)
      const first = await pages.next()
      return {
        source: 'etcd3', revision: first.done ? 0 : first.value.revision,
        records: (async function* () {
          for (let page = first; !page.done; page = await pages.next()) {
            for (const kv of page.value.kvs) {
              const key = `/registry${kv.key.slice(prefix.length)}`
              if (!isPassing(key)) yield { key, value: kv.value, created: kv.createRevision, modified: kv.modRevision }
            }
          }
        })(),
      }
    },
    isEmpty: async () => (await client.range({ ...range, limit: 1 })).kvs.length === 0,
    async write(records, write) {
      if (write.replace) await client.txn({ compare: [], success: [{ deleteRange: range }], failure: [] })
      await raise(client, write.revision + (write.bump ?? defaultBump), write)
      return put(client, records, prefix, options.eventTtlSeconds, write, codec)
    },
    close: () => client.close(),
  }
}

/** Writes until etcd's revision is at least this. */
async function raise(client: EtcdClient, wanted: number, { told }: WriteOptions): Promise<void> {
  let revision = (await client.range({ key: raiseKey })).revision
  if (revision >= wanted) return
  const from = revision
  let compacted = revision
  while (revision < wanted) {
    const answers = await Promise.all(Array.from({ length: Math.min(raisers, wanted - revision) }, () => client.txn({ compare: [], success: [{ put: { key: raiseKey, value: Buffer.from('1') } }], failure: [] })))
    revision = Math.max(...answers.map((answer) => answer.revision))
    told('revisions raised', revision - from)
    if (revision - compacted < raisedBetweenCompactions) continue
    await client.compact(revision)
    compacted = revision
  }
  await client.txn({ compare: [], success: [{ deleteRange: { key: raiseKey } }], failure: [] })
}

async function put(client: EtcdClient, records: AsyncIterable<SnapshotRecord>, prefix: string, eventTtlSeconds: number, { told }: WriteOptions, codec: StorageCodec): Promise<number> {
  const leases = new LeaseManager(client)
  let ops: RequestOp[] = []
  let bytes = 0
  let count = 0
  let revision = 0
  const flush = async (): Promise<void> => {
    if (ops.length === 0) return
    ;({ revision } = await client.txn({ compare: [], success: ops, failure: [] }))
    count += ops.length
    ops = []
    bytes = 0
    told('objects written', count)
  }
  for await (const { key, value } of records) {
    if (isPassing(key)) continue
    const stored = storedForm(codec, value)
    if (ops.length >= batchOps || (ops.length > 0 && bytes + stored.length > batchBytes)) await flush()
    const lease = key.startsWith('/registry/events/') ? await leases.lease(eventTtlSeconds) : 0n
    ops.push({ put: { key: prefix + key.slice('/registry'.length), value: stored, lease } })
    bytes += stored.length
  }
  await flush()
  return revision
}

/** Upstream's form. What came from an etcd is that already; what it has in JSON stays JSON. */
function storedForm(codec: StorageCodec, value: Uint8Array): Uint8Array {
  return value[0] === 0x7b ? codec.encode({ key: '', expected: 0, value: () => value }) : value
}
