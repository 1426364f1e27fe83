import { describe, expect, it } from 'vitest'
import type { Committer, CommitRow } from './committer.ts'
import { CommitError, memoryCommitter } from './committer.ts'
import { groupCommitStorage } from './group-commit-storage.ts'
import type { StorageEvent } from './storage.ts'
import { StorageConflict, StorageFailed, StorageReadOnly } from './storage.ts'

const bytes = (text: string) => () => new TextEncoder().encode(text)

/** A committer whose groups are let through, or failed, by hand. */
function gate(): Committer & { groups: CommitRow[][], open(error?: Error): Promise<void> } {
  const groups: CommitRow[][] = []
  const waiting: ((error?: Error) => void)[] = []
  return {
    ...memoryCommitter(),
    groups,
    commit(rows) {
      groups.push([...rows])
      return new Promise((resolve, reject) => { waiting.push((error) => (error ? reject(error) : resolve())) })
    },
    async open(error) {
      while (waiting.length === 0) await turn()
      waiting.shift()?.(error)
      await turn()
    },
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('group commit', () => {
  it('gives revisions in order and refuses a write that is built on an old version', async () => {
    const storage = groupCommitStorage(memoryCommitter())
    await storage.load()
    const first = await storage.write({ key: '/a', expected: 0, value: bytes('1') })
    const second = await storage.write({ key: '/a', expected: first.revision, value: bytes('2') })
    expect(second.revision).toBe(first.revision + 1)
    await expect(storage.write({ key: '/a', expected: first.revision, value: bytes('3') })).rejects.toThrow(StorageConflict)
    await expect(storage.write({ key: '/a', expected: 0, value: bytes('3') })).rejects.toThrow(StorageConflict)
  })

  it('commits in one group what waits while another group is under way', async () => {
    const committer = gate()
    const storage = groupCommitStorage(committer)
    await storage.load()
    const first = storage.write({ key: '/a', expected: 0, value: bytes('1') })
    await turn()
    await turn()
    const rest = ['/b', '/c', '/d'].map((key) => storage.write({ key, expected: 0, value: bytes('1') }))
    await committer.open()
    await first
    await committer.open()
    await Promise.all(rest)
    expect(committer.groups.map((g) => g.map((r) => r.key))).toEqual([['/a'], ['/b', '/c', '/d']])
  })

  it('lets a write build on one that is in flight, and tells nobody of either before the commit', async () => {
    const committer = gate()
    const storage = groupCommitStorage(committer)
    await storage.load()
    const seen: StorageEvent[] = []
    storage.watch((events) => seen.push(...events))
    const done: string[] = []
    const first = storage.write({ key: '/a', expected: 0, value: bytes('1') }).then(() => done.push('first'))
    const inFlight = await storage.current('/a')
    expect(inFlight).toBeDefined()
    const second = storage.write({ key: '/a', expected: inFlight?.modRevision ?? 0, value: bytes('2') }).then(() => done.push('second'))
    await turn()
    expect([seen.length, done.length]).toEqual([0, 0])
    await committer.open()
    await Promise.all([first, second])
    expect(seen.map((e) => [e.revision, new TextDecoder().decode(e.entry?.value), e.previous?.modRevision])).toEqual([[2, '1', undefined], [3, '2', 2]])
  })

  it('fails everything that was built on a commit that failed, and goes on from the last committed state', async () => {
    const committer = gate()
    const storage = groupCommitStorage(committer)
    await storage.load()
    const kept = storage.write({ key: '/a', expected: 0, value: bytes('kept') })
    await committer.open()
    const { revision } = await kept
    const lost = storage.write({ key: '/a', expected: revision, value: bytes('lost') })
    await turn()
    await turn()
    const built = storage.write({ key: '/a', expected: revision + 1, value: bytes('built on it') })
    const outcomes = Promise.allSettled([lost, built])
    await committer.open(new CommitError('constraint', false))
    expect((await outcomes).map((o) => (o.status === 'rejected' ? o.reason as Error : undefined))).toEqual([expect.any(StorageFailed), expect.any(StorageFailed)])
    expect(new TextDecoder().decode((await storage.current('/a'))?.value)).toBe('kept')
    const again = storage.write({ key: '/a', expected: revision, value: bytes('after') })
    await committer.open()
    expect((await again).revision).toBe(revision + 1)
  })

  it('refuses writes while the disk is full, and takes them again once a probe succeeds', async () => {
    const committer = gate()
    let now = 0
    const states: (string | undefined)[] = []
    const storage = groupCommitStorage(committer, { now: () => now, onState: (s) => states.push(s) })
    await storage.load()
    const outcome = Promise.allSettled([storage.write({ key: '/a', expected: 0, value: bytes('1') })])
    await committer.open(new CommitError('database or disk is full', true))
    expect(await outcome).toEqual([{ status: 'rejected', reason: expect.any(StorageReadOnly) as Error }])
    await expect(storage.write({ key: '/a', expected: 0, value: bytes('1') })).rejects.toThrow('storage is read-only: database or disk is full')
    now = 10_000
    const probe = storage.write({ key: '/a', expected: 0, value: bytes('1') })
    await committer.open()
    await probe
    expect(states).toEqual(['database or disk is full', undefined])
  })

  it('tells watchers of a delete with the version that went', async () => {
    const storage = groupCommitStorage(memoryCommitter())
    await storage.load()
    const { revision } = await storage.write({ key: '/a', expected: 0, value: bytes('1') })
    const seen: StorageEvent[] = []
    storage.watch((events) => seen.push(...events))
    await storage.write({ key: '/a', expected: revision, value: undefined })
    expect(seen.map((e) => [e.revision, e.entry, e.previous?.modRevision])).toEqual([[revision + 1, undefined, revision]])
  })
})
