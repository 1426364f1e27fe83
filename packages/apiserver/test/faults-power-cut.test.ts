// The power goes at any moment: what was not synced is lost, or half of it, or it is torn. Every write that was acknowledged before is there afterwards.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { storedResources } from '../src/resources/index.ts'
import { etcdClient } from '../src/storage/etcd/client.ts'
import { kubernetesCodec } from '../src/storage/etcd/codec.ts'
import { prefixEnd } from '../src/storage/etcd/etcd-storage.ts'
import { openDatabase } from '../src/storage/sqlite-database.ts'
import { filesAt, readTrace, traceCommand, traceMissing, writeFiles } from './support/disk-trace.ts'
import type { DiskCall, Fate } from './support/disk-trace.ts'
import { etcdMissing, startEtcd } from './support/etcd.ts'
import { sender, spawnServer, temporary } from './support/harness.ts'
import { faultRounds, faultSeed, randomFrom } from './support/random.ts'
import { wrongs, writeSteadily } from './support/writers.ts'
import type { Writing } from './support/writers.ts'

const writers = 8
const rounds = { sqlite: faultRounds(6), etcd: faultRounds(3) }
/** Milliseconds; a round is a few seconds, on a busy machine more. */
const patience = (count: number): number => 400_000 + count * 30_000
const text = new TextDecoder()
const prefix = '/registry/configmaps/default/'

let work: string
let directory: Awaited<ReturnType<typeof temporary>>
beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'berth-power-'))
  directory = await temporary()
})
afterEach(async () => {
  await rm(work, { recursive: true, force: true })
  await directory.remove()
})

/** Resolves once there were so many acknowledged writes. */
async function acknowledgedBy(writing: Writing, count: number): Promise<void> {
  await expect.poll(() => writing.acknowledged, { timeout: 300_000, interval: 20 }).toBeGreaterThan(count)
}

/** strace is behind its process: resolves once the last call is in its files, which then stay as they are. */
async function settled(log: string): Promise<void> {
  const size = async (): Promise<number> => {
    let sum = 0
    for (const name of await readdir(dirname(log))) sum += (await stat(join(dirname(log), name))).size
    return sum
  }
  let before = -1
  await expect.poll(async () => {
    const now = await size()
    const same = now === before
    before = now
    return same
  }, { timeout: 60_000, interval: 500 }).toBe(true)
}

/** How unsynced writes end. */
function fates(random: () => number): [string, Fate][] {
  return [
    ['all unsynced writes are lost', () => false],
    ['half of the sectors of unsynced writes are there', () => random() < 0.5],
    ['nearly all of them are', () => random() < 0.95],
    ['all unsynced writes are there', () => true],
  ]
}

/** Moments of the second half of what was recorded, and its end. */
function moments(calls: readonly DiskCall[], count: number, random: () => number): number[] {
  const ends = calls.map((call) => call.end)
  const [first, last] = [ends[Math.floor(ends.length / 4)] ?? 0, ends.at(-1) ?? 0]
  return [...Array.from({ length: count - 1 }, () => first + random() * (last - first)), last]
}

/** That the model of the disk is right: with nothing lost, it has the very files that the process left. */
async function expectSameFiles(calls: readonly DiskCall[], root: string, names: readonly string[]): Promise<void> {
  const whole = filesAt(calls, Infinity, () => true)
  for (const name of names) {
    const real = await readFile(join(root, name))
    const model = whole.get(join(root, name))
    const content = Buffer.alloc(model?.size ?? 0)
    model?.content.copy(content)
    expect([name, content.length, Buffer.compare(content, real)]).toEqual([name, real.length, 0])
  }
}

function stepsOfRows(file: string): Map<string, number> {
  const database = openDatabase(file)
  try {
    const { rows } = database.load()
    return new Map(rows.filter(({ key }) => key.startsWith(prefix)).map(({ key, value }) => [key.slice(prefix.length), Number((JSON.parse(text.decode(value)) as { data: { step: string } }).data.step)]))
  } finally {
    database.close()
  }
}

describe.skipIf(traceMissing !== undefined)('a power cut', () => {
  it('under SQLite loses no acknowledged write', async () => {
    const random = randomFrom(faultSeed())
    const log = join(work, 'trace', 'calls')
    await mkdir(dirname(log))
    const dataDir = join(work, 'data')
    const serve = new URL('./support/serve.ts', import.meta.url).pathname
    const [strace = '', ...args] = traceCommand(log, ['pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'fallocate', 'openat', 'rename', 'unlink', 'unlinkat'])
    const child = spawn(strace, [...args, process.execPath, serve, dataDir, directory.tokenFile, JSON.stringify({ certDir: join(directory.path, 'pki') })], { stdio: ['ignore', 'pipe', 'ignore'] })
    let port = 0
    for await (const line of createInterface({ input: child.stdout })) {
      port = Number(/^port (\d+)$/.exec(line)?.[1])
      break
    }
    const send = sender(port)
    const writing = writeSteadily(writers, 'w', () => send)
    await acknowledgedBy(writing, 400)
    // A call that was under way would be in the files and not in the record.
    await writing.stop()
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await settled(log)
    const calls = await readTrace(log, dataDir)
    expect(calls.filter((call) => call.type === 'sync').length).toBeGreaterThan(20)
    await expectSameFiles(calls, dataDir, ['state.db', 'state.db-wal'])

    let lostByLiar = 0
    for (const [i, time] of moments(calls, rounds.sqlite, random).entries()) {
      for (const [how, fate] of fates(random)) {
        const image = join(work, `image-${i}`)
        await writeFiles(filesAt(calls, time, fate), dataDir, image)
        expect([how, i, wrongs(writing.fates, stepsOfRows(join(image, 'state.db')), time)]).toEqual([how, i, []])
        await rm(image, { recursive: true })
      }
      // A disk that does not do what fsync asks for loses some of them: the test sees what it looks for.
      const liar = join(work, 'liar')
      await writeFiles(filesAt(calls, time, () => false, false), dataDir, liar)
      lostByLiar += wrongs(writing.fates, stepsOfRows(join(liar, 'state.db')), time).length
      await rm(liar, { recursive: true, force: true })
    }
    expect(lostByLiar).toBeGreaterThan(0)
  }, patience(rounds.sqlite))

  it.skipIf(etcdMissing !== undefined)('under etcd loses no acknowledged write', async () => {
    const random = randomFrom(faultSeed())
    const log = join(work, 'trace', 'calls')
    await mkdir(dirname(log))
    const root = join(work, 'etcd')
    const etcd = await startEtcd({ dataDir: root, wrap: traceCommand(log) })
    const { process: child, port } = await spawnServer(directory, { settings: { storage: 'etcd3', etcd: { servers: [etcd.server] } } })
    const send = sender(port)
    const writing = writeSteadily(writers, 'w', () => send)
    try {
      await acknowledgedBy(writing, 400)
      await writing.stop()
    } finally {
      await writing.stop()
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    etcd.kill('SIGKILL')
    await etcd.ended
    await etcd.stop()
    await settled(log)
    const calls = await readTrace(log, root)
    expect(calls.filter((call) => call.type === 'sync').length).toBeGreaterThan(20)
    await expectSameFiles(calls, root, ['member/snap/db', 'member/wal/0000000000000000-0000000000000000.wal'])

    const codec = kubernetesCodec({ definitions: storedResources, mediaType: 'application/vnd.kubernetes.protobuf' })
    for (const [i, time] of moments(calls, rounds.etcd, random).entries()) {
      for (const [how, fate] of fates(random)) {
        const image = join(work, `image-${i}`)
        await writeFiles(filesAt(calls, time, fate), root, image)
        const again = await startEtcd({ dataDir: image })
        const client = etcdClient({ servers: [again.server] })
        const stored = new Map<string, number>()
        for await (const page of client.rangeAll({ key: prefix, rangeEnd: prefixEnd(prefix) })) {
          for (const kv of page.kvs) stored.set(kv.key.slice(prefix.length), Number((JSON.parse(text.decode(codec.decode(kv.key, kv.value, { mod: 0, create: 0 }).value)) as { data?: { step?: string } }).data?.step))
        }
        client.close()
        await again.stop()
        await rm(image, { recursive: true })
        stored.delete('kube-root-ca.crt')
        expect([how, i, wrongs(writing.fates, stored, time)]).toEqual([how, i, []])
      }
    }
  }, patience(rounds.etcd))
})
