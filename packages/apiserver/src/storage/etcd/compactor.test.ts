import { expect, it } from 'vitest'
import { compactOnce } from './compactor.ts'
import type { TxnRequest, TxnResponse } from './messages.ts'

/** An etcd that knows the one key, at a revision that the test moves on. */
function etcd() {
  const state = { revision: 100, version: 0, value: '', compacted: [] as number[] }
  return {
    state,
    async txn({ compare: [compare], success: [op] }: TxnRequest): Promise<TxnResponse> {
      const fits = compare !== undefined && 'version' in compare && compare.version === state.version
      if (fits && op && 'put' in op) {
        state.value = Buffer.from(op.put.value).toString()
        state.version++
        state.revision++
      }
      const kv = { key: 'compact_rev_key', value: Buffer.from(state.value), createRevision: 1, modRevision: 1, version: state.version }
      return { revision: state.revision, succeeded: fits, ranges: fits ? [] : [{ revision: state.revision, kvs: [kv], more: false }] }
    },
    async compact(revision: number) { state.compacted.push(revision) },
  }
}

it('compacts to the revision of the round before, and in its first round nothing', async () => {
  const store = etcd()
  const first = await compactOnce(store, { version: 0, revision: 0 })
  expect([first, store.state.compacted, store.state.value]).toEqual([{ version: 1, revision: 101 }, [], '0'])
  store.state.revision = 500
  const second = await compactOnce(store, first)
  expect([second, store.state.compacted, store.state.value]).toEqual([{ version: 2, revision: 501 }, [101], '101'])
})

it('leaves the round to whoever was first, and takes over where he stands', async () => {
  const store = etcd()
  const mine = await compactOnce(store, { version: 0, revision: 0 })
  const late = await compactOnce(store, { version: 0, revision: 0 })
  expect([late, store.state.compacted]).toEqual([{ version: 1, revision: 101 }, []])
  store.state.revision = 500
  await compactOnce(store, late)
  expect(store.state.compacted).toEqual([101])
  const again = await compactOnce(store, mine)
  expect([again, store.state.compacted]).toEqual([{ version: 2, revision: 501 }, [101]])
})
