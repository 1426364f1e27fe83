// Drops etcd's old history by upstream's protocol, so that any number of servers, ours and stock ones, take turns: whoever first writes the key
// compact_rev_key in a round compacts to the revision of the round before.
import type { EtcdClient } from './client.ts'

const compactKey = 'compact_rev_key'

type Needed = Pick<EtcdClient, 'txn' | 'compact'>

/** Where a compactor stands: the key's version it has seen, and etcd's revision at that time. */
export interface Round {
  version: number
  revision: number
}

/** Compacts every `intervalMs` (0: never) until stopped. */
export function startCompactor(client: Needed, intervalMs: number, onError: (error: unknown) => void): () => void {
  if (intervalMs <= 0) return () => {}
  let round: Round = { version: 0, revision: 0 }
  const timer = setInterval(() => {
    compactOnce(client, round).then((next) => { round = next }, onError)
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** One round: the key is written at the version seen last, and then what lies before that round goes; or another server was first, and its round is taken over. */
export async function compactOnce(client: Needed, round: Round): Promise<Round> {
  const { succeeded, revision, ranges } = await client.txn({
    compare: [{ key: compactKey, version: round.version }],
    success: [{ put: { key: compactKey, value: Buffer.from(String(round.revision)) } }],
    failure: [{ range: { key: compactKey } }],
  })
  if (!succeeded) return { version: ranges[0]?.kvs[0]?.version ?? 0, revision }
  if (round.revision > 0) await client.compact(round.revision)
  return { version: round.version + 1, revision }
}
