import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../table.ts'
import { prepare, type Contender, type Server } from './contenders.ts'
import { Load, pace } from './load.ts'
import { kinds, type Kind } from './objects.ts'
import type { Identity } from './identity.ts'

/** What the stations share: who is measured, where their data is, how often and how much. */
export interface Setup {
  readonly contenders: readonly Contender[]
  readonly identity: Identity
  readonly runs: number
  readonly size: number
  directoryOf(contender: Contender): string
  log(line: string): void
}

/** A contender that runs, and a kind that it is measured with. */
export interface Entry {
  readonly contender: Contender
  readonly server: Server
  readonly kind: Kind
}

/** Figures by what they are of, by contender and kind; rows are made of them. */
export class Figures {
  readonly #found = new Map<string, { unit: string; by: Map<string, number[]> }>()

  add(what: string, unit: string, entry: Pick<Entry, 'contender' | 'kind'> | { contender: Contender }, value: number): void {
    const row = this.#found.get(what) ?? { unit, by: new Map<string, number[]>() }
    this.#found.set(what, row)
    const key = keyOf(entry.contender, 'kind' in entry ? entry.kind : undefined)
    row.by.set(key, [...row.by.get(key) ?? [], value])
  }

  /** One row for ours and each of its kinds, beside the peer's same kind; where the peer has no built-in kinds, beside the custom ones that stand for them. */
  rows(): Row[] {
    return [...this.#found].flatMap(([what, { unit, by }]) => [...by].filter(([key]) => key.startsWith('ours')).map(([key, ours]): Row => {
      const kind = key.split(' ')[1] ?? ''
      const peer = by.get(`peer ${kind}`)
      return { what: kind === '' ? what : `${what}, ${kind}`, unit, ours, ...(peer && { peer }) }
    }))
  }
}

function keyOf(contender: Contender, kind: Kind | undefined): string {
  return `${contender.isOurs ? 'ours' : 'peer'} ${kind?.name ?? ''}`
}

/** The kinds of a station for a contender: the custom ones, and the built-in ones where it serves them. */
function kindsOf(contender: Contender, names: readonly [Kind['name'], Kind['name']]): Kind[] {
  return [kinds[names[0]], ...(contender.servesBuiltIn ? [kinds[names[1]]] : [])]
}

export function entriesOf(running: ReadonlyMap<Contender, Server>, names: readonly [Kind['name'], Kind['name']]): Entry[] {
  return [...running].flatMap(([contender, server]) => kindsOf(contender, names).map((kind) => ({ contender, server, kind })))
}

/** Start to /readyz with its data there, and what it weighs then. */
export async function starting({ contenders, runs, directoryOf, log }: Setup, figures: Figures): Promise<void> {
  for (let run = 0; run <= runs; run++) {
    for (const contender of contenders) {
      const started = performance.now()
      const server = await contender.start(directoryOf(contender))
      const ms = performance.now() - started
      // The first start makes the data.
      if (run > 0) {
        await sleep(3000)
        figures.add('start → /readyz', 'ms', { contender }, ms)
        figures.add('RSS idle', 'MiB', { contender }, server.rssMiB())
        figures.add('CPU of start and the first 3 s', 'ms', { contender }, server.cpuSeconds() * 1000)
        log(`start, ${contender.name}, run ${run}: ${ms.toFixed(0)} ms, ${server.rssMiB().toFixed(1)} MiB`)
      }
      await server.stop()
    }
  }
}

/** Starts all contenders beside each other. */
export async function startAll({ contenders, directoryOf }: Setup, namespaces: readonly string[]): Promise<Map<Contender, Server>> {
  const running = new Map<Contender, Server>()
  for (const contender of contenders) {
    const server = await contender.start(directoryOf(contender))
    running.set(contender, server)
    await prepare(server, contender, [kinds.podlikes, kinds.leaselikes, kinds.nodelikes], namespaces)
  }
  return running
}

export const namespaces = ['bench', 'list', 'watch', 'load']
const writers = 16

/** Removes what a namespace's collection holds. */
export async function empty({ server, kind }: Entry, namespace: string): Promise<void> {
  const path = kind.collection(namespace)
  await server.load.must('DELETE', kind.name === 'pods' ? `${path}?gracePeriodSeconds=0` : path)
}

/** Creates and updates by 16 writers, each answered when it is durable. */
export async function writing({ runs, size, log }: Setup, running: ReadonlyMap<Contender, Server>, figures: Figures): Promise<void> {
  const count = 2000 * size
  for (let run = 0; run <= runs; run++) {
    for (const entry of entriesOf(running, ['podlikes', 'pods'])) {
      const { contender, server, kind } = entry
      const path = kind.collection('bench')
      const answers: Buffer[] = []
      const measured = async (what: string, act: (i: number) => Promise<void>): Promise<void> => {
        const cpu = server.cpuSeconds()
        const { perSecond, p99Ms } = await pace(count, writers, act)
        // The first run warms up, all alike.
        if (run === 0) return
        const ms = ((server.cpuSeconds() - cpu) / count) * 1000
        figures.add(`${what}s`, '/s', entry, perSecond)
        figures.add(`${what}, p99`, 'ms', entry, p99Ms)
        figures.add(`${what}, CPU`, 'ms', entry, ms)
        log(`${what}s, ${contender.name}, ${kind.name}, run ${run}: ${perSecond.toFixed(0)}/s, p99 ${p99Ms.toFixed(1)} ms, ${ms.toFixed(2)} ms of CPU`)
      }
      await measured('create', async (i) => { answers[i] = await server.load.must('POST', path, JSON.stringify(kind.make(i, 'bench'))) })
      const changed = answers.map((answer) => answer.toString().replace('"tier":"front"', '"tier":"back"'))
      await measured('update', async (i) => { await server.load.must('PUT', `${path}/pod-${i}`, changed[i] ?? '') })
      await empty(entry, 'bench')
    }
  }
}

/** Lists of 5,000 objects, and single ones. */
export async function reading({ runs, size, log }: Setup, running: ReadonlyMap<Contender, Server>, figures: Figures): Promise<void> {
  const count = 5000 * size
  const entries = entriesOf(running, ['podlikes', 'pods'])
  for (const { server, kind } of entries) await pace(count, writers, (i) => server.load.must('POST', kind.collection('list'), JSON.stringify(kind.make(i, 'list'))))
  const measured = async (entry: Entry, what: string, unit: string, requests: number, atOnce: number, act: (i: number) => Promise<unknown>): Promise<void> => {
    const cpu = entry.server.cpuSeconds()
    const { perSecond } = await pace(requests, atOnce, act)
    figures.add(what, unit, entry, perSecond)
    figures.add(`${what}, CPU`, 'ms', entry, ((entry.server.cpuSeconds() - cpu) / requests) * 1000)
    log(`${what}, ${entry.contender.name}, ${entry.kind.name}: ${perSecond.toFixed(1)}${unit}`)
  }
  for (let run = 0; run < runs; run++) {
    for (const entry of entries) {
      const path = entry.kind.collection('list')
      const { load } = entry.server
      // As informers ask: any version will do. The newest one makes a stock server on an etcd before 3.5 read etcd.
      await measured(entry, `lists of ${count}`, '/s', 10, 1, () => load.must('GET', `${path}?resourceVersion=0`))
      await measured(entry, `lists of ${count}, gzip`, '/s', 5, 1, () => load.must('GET', `${path}?resourceVersion=0`, undefined, { 'accept-encoding': 'gzip' }))
      await measured(entry, `lists of ${count}, the newest`, '/s', 2, 1, () => load.must('GET', path))
      await measured(entry, 'gets, 16 at once', '/s', 3000, writers, (i) => load.must('GET', `${path}/pod-${i % count}`))
    }
  }
  for (const entry of entries) await empty(entry, 'list')
}

/** One change, and the time until the last of 1,000 watchers, each with its own connection, has it. */
export async function watching({ runs, size, identity, log }: Setup, running: ReadonlyMap<Contender, Server>, figures: Figures): Promise<void> {
  const watchers = 1000 * size
  const stops: (() => void)[] = []
  const turns: { entry: Entry; turn(run: number): Promise<void> }[] = []
  for (const entry of entriesOf(running, ['podlikes', 'pods'])) {
    const { server, kind } = entry
    const path = kind.collection('watch')
    const first = JSON.parse((await server.load.must('POST', path, JSON.stringify(kind.make(0, 'watch')))).toString()) as { metadata: { resourceVersion: string } }
    let told = 0
    let allTold: () => void = () => undefined
    let marker = ''
    const each = new Load(server.load.port, identity)
    await pace(watchers, writers, async () => {
      // What has come of the event that is waited for.
      let seen = ''
      stops.push(await each.watch(`${path}?watch=true&resourceVersion=${first.metadata.resourceVersion}`, (chunk) => {
        seen += chunk.toString('latin1')
        if (!seen.includes(marker) || !seen.endsWith('\n')) return
        seen = ''
        if (++told === watchers) allTold()
      }))
    })
    turns.push({ entry, async turn(run) {
      told = 0
      marker = `"turn-${run}"`
      const all = new Promise<void>((resolve) => { allTold = resolve })
      const body = JSON.stringify({ metadata: { annotations: { turn: `turn-${run}` } } })
      const cpu = server.cpuSeconds()
      const started = performance.now()
      await server.load.must('PATCH', `${path}/pod-0`, body, { 'content-type': 'application/merge-patch+json' })
      await all
      const ms = performance.now() - started
      await sleep(300)
      if (run === 0) return
      figures.add(`one change → ${watchers} watchers`, 'ms', entry, ms)
      figures.add(`one change → ${watchers} watchers, CPU`, 'ms', entry, (server.cpuSeconds() - cpu) * 1000)
      log(`${watchers} watchers, ${entry.contender.name}, ${kind.name}, run ${run}: ${ms.toFixed(1)} ms`)
    } })
  }
  for (let run = 0; run <= 2 * runs; run++) for (const { turn } of turns) await turn(run)
  for (const stop of stops) stop()
  for (const { entry } of turns) await empty(entry, 'watch')
}
