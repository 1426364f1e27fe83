import { describe, expect, it } from 'vitest'
import type { StorageEntry } from '../storage/storage.ts'
import { CachedObject } from './cached-object.ts'
import { HistoryGone, WatchCache } from './watch-cache.ts'
import type { HistoryBounds } from './watch-cache.ts'

/** A cache over numbered changes: `put` and `remove` advance the revision by one. */
function build(bounds?: Partial<HistoryBounds>) {
  let time = 0
  const cache = new WatchCache('/registry/x/', { events: 4096, bytes: 1 << 20, ageMs: 1e9, keep: 4, ...bounds }, () => time)
  let revision = 1
  cache.start(revision)
  const write = (name: string, present: boolean): number => {
    const key = `/registry/x/${name}`
    revision++
    const object = { kind: 'X', apiVersion: 'v1', metadata: { name, resourceVersion: String(revision) } }
    const entry: StorageEntry = { key, value: new Uint8Array(), modRevision: revision, createRevision: revision, attachment: new CachedObject(key, revision, object, undefined) }
    cache.apply({ revision, key, entry: present ? entry : undefined, previous: undefined })
    return revision
  }
  return { cache, wait: (ms: number) => { time += ms }, put: (name: string) => write(name, true), remove: (name: string) => write(name, false) }
}

const names = (objects: Iterable<CachedObject>): string[] => [...objects].map((c) => `${c.object.metadata.name}@${c.revision}`)

describe('the watch cache', () => {
  it('lists in key order, within a prefix and after a key', () => {
    const { cache, put } = build()
    for (const name of ['b/2', 'a/1', 'b/1', 'c/1']) put(name)
    expect(names(cache.range('/registry/x/'))).toEqual(['a/1@3', 'b/1@4', 'b/2@2', 'c/1@5'])
    expect(names(cache.range('/registry/x/b/'))).toEqual(['b/1@4', 'b/2@2'])
    expect(names(cache.range('/registry/x/', '/registry/x/b/1'))).toEqual(['b/2@2', 'c/1@5'])
  })

  it('restores the state of a past revision: changed, deleted and not yet created objects', () => {
    const { cache, put, remove } = build()
    put('a')
    put('b')
    const then = put('d')
    put('a')
    remove('b')
    put('c')
    expect(names(cache.rangeAt(then, '/registry/x/'))).toEqual(['a@2', 'b@3', 'd@4'])
    expect(names(cache.range('/registry/x/'))).toEqual(['a@5', 'c@7', 'd@4'])
  })

  it('resumes a watch from a revision without losing or repeating a change', () => {
    const { cache, put, remove } = build()
    put('a')
    const seen = put('b')
    put('a')
    remove('b')
    const told: string[] = []
    const stop = cache.subscribe(seen, (e) => told.push(`${e.current ? 'put' : 'gone'} ${e.key.slice(-1)} ${e.revision}`))
    put('c')
    stop()
    put('d')
    expect(told).toEqual(['put a 4', 'gone b 5', 'put c 6'])
  })

  it('shows a deleted object with the revision of its deletion', () => {
    const { cache, put, remove } = build()
    put('a')
    const told: (string | undefined)[] = []
    cache.subscribe(2, (e) => told.push(e.departed?.object.metadata.resourceVersion))
    remove('a')
    expect(told).toEqual(['3'])
  })

  it('keeps its history within bounds and says so when a watch asks for more', () => {
    const { cache, put } = build({ events: 8 })
    for (let i = 0; i < 30; i++) put('a')
    expect(cache.oldest).toBeGreaterThan(20)
    expect(() => cache.subscribe(5, () => {})).toThrow(HistoryGone)
    expect(() => names(cache.rangeAt(5, '/registry/x/'))).toThrow(HistoryGone)
    const told: number[] = []
    cache.subscribe(29, (e) => told.push(e.revision))
    expect(told).toEqual([30, 31])
  })

  it('lets go of what is old, but for the last few changes', () => {
    const { cache, put, wait } = build({ ageMs: 1000, keep: 4 })
    for (let i = 0; i < 4; i++) put('a')
    wait(10_000)
    put('b')
    expect(cache.oldest).toBe(2)
    for (let i = 0; i < 8; i++) put('b')
    // The recent ones stay, whatever their number.
    expect(cache.oldest).toBe(4)
  })
})
