// What every Storage must do: one suite, run on each of them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Storage, StorageEvent } from '../src/storage/storage.ts'
import { StorageConflict } from '../src/storage/storage.ts'
import type { StorePlace } from './support/stores.ts'
import { configMapWrite, keyOf, stateOf, storeKinds } from './support/stores.ts'

const brief = (event: StorageEvent): unknown[] => [event.key.split('/').at(-1), event.revision, stateOf(event.entry)?.datum, event.previous?.modRevision]

describe.each(storeKinds)('a storage on $name', ({ missing, make }) => {
  let place: StorePlace
  let storage: Storage
  const opened: Storage[] = []
  const open = async (): Promise<Storage> => {
    const one = await place.open()
    opened.push(one)
    await one.load()
    return one
  }
  beforeEach(async (context) => {
    if (missing !== undefined) context.skip(missing)
    place = await make()
    storage = await open()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
    await place?.remove()
  })
  const put = (name: string, expected: number, datum: string) => storage.write(configMapWrite(name, expected, datum))

  it('creates where nothing is, and refuses to where something is, telling what', async () => {
    const { revision, entry } = await put('a', 0, 'one')
    expect([entry?.modRevision, entry?.createRevision, stateOf(entry)]).toEqual([revision, revision, { revision: String(revision), datum: 'one' }])
    const refusal = await put('a', 0, 'two').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(StorageConflict)
    expect(stateOf((refusal as StorageConflict).current)?.datum).toBe('one')
  })

  it('replaces the version that is named, and no other', async () => {
    const { revision: first } = await put('a', 0, 'one')
    const { revision: second, entry } = await put('a', first, 'two')
    expect([second > first, entry?.createRevision]).toEqual([true, first])
    await expect(put('a', first, 'three')).rejects.toThrow(StorageConflict)
    await expect(put('b', first, 'three')).rejects.toThrow(StorageConflict)
    expect(stateOf(await storage.confirm(keyOf('a')))?.datum).toBe('two')
  })

  it('deletes the version that is named, and the key can be made again', async () => {
    const { revision: first } = await put('a', 0, 'one')
    const { revision: second } = await put('a', first, 'two')
    await expect(storage.write({ key: keyOf('a'), expected: first, value: undefined })).rejects.toThrow(StorageConflict)
    const gone = await storage.write({ key: keyOf('a'), expected: second, value: undefined })
    expect([gone.revision > second, gone.entry, await storage.current(keyOf('a')), await storage.confirm(keyOf('a'))]).toEqual([true, undefined, undefined, undefined])
    await expect(storage.write({ key: keyOf('a'), expected: second, value: undefined })).rejects.toThrow(StorageConflict)
    const again = await put('a', 0, 'three')
    expect([again.entry?.createRevision, stateOf(again.entry)?.datum]).toEqual([again.revision, 'three'])
  })

  it('tells of every change once, in the order of revisions, with what was before, and of own writes before they are answered', async () => {
    const told: StorageEvent[] = []
    storage.watch((events) => told.push(...events))
    const { revision: a } = await put('a', 0, 'one')
    expect(told).toHaveLength(1)
    const { revision: b } = await put('b', 0, 'one')
    const { revision: c } = await put('a', a, 'two')
    const { revision: d } = await storage.write({ key: keyOf('a'), expected: c, value: undefined })
    expect(told.map(brief)).toEqual([['a', a, 'one', undefined], ['b', b, 'one', undefined], ['a', c, 'two', a], ['a', d, undefined, c]])
    expect(await storage.latest()).toBeGreaterThanOrEqual(d)
  })

  it('stops telling whoever wants no more', async () => {
    const told: StorageEvent[] = []
    const stop = storage.watch((events) => told.push(...events))
    await put('a', 0, 'one')
    stop()
    await put('b', 0, 'one')
    expect(told.map((e) => e.key)).toEqual([keyOf('a')])
  })

  it('lets one of many that build on the same version win, in every round', async () => {
    let revision = 0
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.allSettled(Array.from({ length: 16 }, (_, i) => put('a', revision, `${round}-${i}`)))
      const won = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []))
      expect(won).toHaveLength(1)
      expect(outcomes.flatMap((o) => (o.status === 'rejected' && !(o.reason instanceof StorageConflict) ? [o.reason as unknown] : []))).toEqual([])
      revision = won[0]?.revision ?? 0
    }
    expect((await storage.confirm(keyOf('a')))?.modRevision).toBe(revision)
  })

  it('counts up exactly, however many writers change one key by compare-and-swap', async () => {
    await put('a', 0, '0')
    const told: string[] = []
    storage.watch((events) => { for (const event of events) told.push(stateOf(event.entry)?.datum ?? '') })
    const increment = async (): Promise<void> => {
      for (;;) {
        const current = await storage.current(keyOf('a'))
        try {
          await put('a', current?.modRevision ?? 0, String(Number(stateOf(current)?.datum) + 1))
          return
        } catch (error) {
          if (!(error instanceof StorageConflict)) throw error
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let i = 0; i < 10; i++) await increment()
    }))
    expect(told).toEqual(Array.from({ length: 80 }, (_, i) => String(i + 1)))
  })

  it('tells of many writers\' changes in one growing order, each once', async () => {
    const told: StorageEvent[] = []
    storage.watch((events) => told.push(...events))
    const written = await Promise.all(Array.from({ length: 16 }, async (_, writer) => {
      const revisions: number[] = []
      for (let i = 0, expected = 0; i < 20; i++) {
        expected = (await put(`w${writer}`, expected, String(i))).revision
        revisions.push(expected)
      }
      return revisions
    }))
    const revisions = told.map((e) => e.revision)
    expect(revisions).toEqual(written.flat().sort((a, b) => a - b))
    expect(new Set(revisions).size).toBe(320)
    for (const event of told) expect(stateOf(event.entry)?.revision).toBe(String(event.revision))
  })

  it('keeps values of a mebibyte, and of no field but the least', async () => {
    const large = 'x'.repeat(1024 * 1024)
    const { revision } = await put('large', 0, large)
    await put('empty', 0, '')
    await storage.close()
    opened.splice(0)
    const again = await place.open()
    opened.push(again)
    const { entries } = await again.load()
    expect(entries.map((e) => [e.key, stateOf(e)?.datum.length])).toEqual([[keyOf('empty'), 0], [keyOf('large'), large.length]])
    expect(entries[1]?.modRevision).toBe(revision)
  })

  it('gives after a restart what was there, in the order of keys, with its revisions, and goes on counting', async () => {
    const { revision: a } = await put('a', 0, 'one')
    await put('b-b', 0, 'one')
    await put('b', 0, 'one')
    await put('b0', 0, 'one')
    const { revision: last } = await put('a', a, 'two')
    const { revision: gone } = await storage.write({ key: keyOf('b'), expected: (await storage.current(keyOf('b')))?.modRevision ?? 0, value: undefined })
    await storage.close()
    opened.splice(0)
    storage = await place.open()
    opened.push(storage)
    const { entries, revision } = await storage.load()
    expect(entries.map((e) => [e.key, stateOf(e)])).toEqual([
      [keyOf('a'), { revision: String(last), datum: 'two' }], [keyOf('b-b'), { revision: String(last - 3), datum: 'one' }], [keyOf('b0'), { revision: String(last - 1), datum: 'one' }],
    ])
    expect(revision).toBe(gone)
    expect((await put('c', 0, 'one')).revision).toBe(gone + 1)
    expect((await put('a', last, 'three')).entry?.createRevision).toBe(a)
  })

  it('finishes what is in flight when it is closed, and takes nothing after that', async () => {
    const writes = Array.from({ length: 20 }, (_, i) => put(`k${i}`, 0, 'one'))
    await storage.close()
    opened.splice(0)
    expect((await Promise.allSettled(writes)).map((o) => o.status)).toEqual(writes.map(() => 'fulfilled'))
    await expect(put('late', 0, 'one')).rejects.toThrow('storage write failed: the storage is closed')
  })

  it('answers its health', async () => {
    await expect(storage.check()).resolves.toBeUndefined()
    await put('a', 0, 'one')
    expect(storage.size()).toBeGreaterThan(0)
  })
})
