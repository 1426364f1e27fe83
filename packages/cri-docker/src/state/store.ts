import { EventEmitter } from 'node:events'
import { CriError } from '@berth/cri'
import type { Logger } from '@berth/kube'
import { attempt, engineStatus } from '../errors.ts'
import type { Engine } from '../engine/connect.ts'
import { labelKeys } from './labels.ts'
import { type ContainerRecord, type EngineRecord, isContainer, isSandbox, recordOf, type SandboxRecord } from './record.ts'

/** What happened to a container or sandbox. */
export interface Change {
  kind: 'created' | 'started' | 'stopped' | 'deleted'
  record: EngineRecord
  /** Nanoseconds since 1970. */
  at: bigint
}

interface StoreEvents {
  change: [Change]
  /** The events are followed again after they were lost, and everything was read. */
  connected: []
}

/** At most this many inspections are under way at once while everything is read again. */
const parallelInspections = 8
/** An Engine that hangs on a container is not waited for longer than this when everything is read; that container is asked for again behind the callers. */
const inspectionMs = 5000
/** No inspection takes longer than this; milliseconds. */
const goneMs = 120_000
/** A container that was made or started is mostly our own doing, and read by who did it: the event alone has it read only after these times. Ends are read at once. */
const patienceMs: Readonly<Record<string, number>> = { create: 300, start: 30 }

/**
 * This node's containers in the Engine, kept by its event stream and read again whole whenever that stream was interrupted (the Engine keeps few events, and none
 * over its restart). Reads cost nothing while the stream stands; without it they ask the Engine, so they are never older than it.
 */
export class Store extends EventEmitter<StoreEvents> {
  private readonly engine: Engine
  private readonly node: string
  private readonly logger: Logger
  private readonly records = new Map<string, EngineRecord>()
  private readonly refreshing = new Map<string, Promise<void>>()
  /** What was removed a moment ago: an inspection that began before it must not bring it back. */
  private readonly gone = new Set<string>()
  /** When the last reading of a container began; milliseconds since 1970, as the Engine's events have them. */
  private readonly readAt = new Map<string, number>()
  private readonly controller = new AbortController()
  /** Whether the event stream stands, and everything was read after it began. */
  private live = false
  /** Whether something happened to a container that could not be read since. */
  private stale = false
  private loading: Promise<void> | undefined
  private following: Promise<void> | undefined

  constructor(engine: Engine, node: string, logger: Logger) {
    super()
    this.setMaxListeners(0)
    this.engine = engine
    this.node = node
    this.logger = logger
  }

  /** Reads everything once and goes on following. Throws where the Engine cannot be reached. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<void>()
    this.following = this.follow(first)
    try {
      await first.promise
    } catch (error) {
      this.controller.abort()
      throw error
    }
  }

  async stop(): Promise<void> {
    this.controller.abort()
    await this.following
  }

  /** All sandboxes of this node. */
  async sandboxes(): Promise<SandboxRecord[]> {
    await this.ready()
    return [...this.records.values()].filter(isSandbox)
  }

  /** All containers of this node (without sandboxes' own). */
  async containers(): Promise<ContainerRecord[]> {
    await this.ready()
    return [...this.records.values()].filter(isContainer)
  }

  /** The containers of one sandbox. */
  async containersOf(sandboxId: string): Promise<ContainerRecord[]> {
    return (await this.containers()).filter(({ spec }) => spec.sandboxId === sandboxId)
  }

  /** The sandbox with this id, or with the only id that starts so. */
  async sandbox(id: string): Promise<SandboxRecord | undefined> {
    await this.ready()
    return this.find(id, isSandbox)
  }

  async container(id: string): Promise<ContainerRecord | undefined> {
    await this.ready()
    return this.find(id, isContainer)
  }

  /** Like `sandbox`, throwing NotFound. */
  async mustSandbox(id: string): Promise<SandboxRecord> {
    const record = await this.sandbox(id)
    if (!record) throw new CriError('NotFound', `no pod sandbox ${JSON.stringify(id)}`)
    return record
  }

  /** Like `container`, throwing NotFound. */
  async mustContainer(id: string): Promise<ContainerRecord> {
    const record = await this.container(id)
    if (!record) throw new CriError('NotFound', `no container ${JSON.stringify(id)}`)
    return record
  }

  /** Reads one container again, after something was done to it. */
  async refresh(id: string): Promise<EngineRecord | undefined> {
    const before = this.refreshing.get(id) ?? Promise.resolve()
    const mine = before.then(() => this.inspect(id))
    const tail = mine.then(
      () => {},
      () => {},
    )
    this.refreshing.set(id, tail)
    try {
      return await mine
    } finally {
      if (this.refreshing.get(id) === tail) this.refreshing.delete(id)
    }
  }

  /** A container that was removed: ids do not come back. */
  forget(id: string): void {
    this.drop(id)
  }

  /** Like `refresh`, unless the Engine's events have told already that the container has ended. */
  async refreshUnlessEnded(id: string): Promise<void> {
    if (this.live && this.records.get(id)?.state === 'exited') return
    await this.refresh(id)
  }

  private find<T extends EngineRecord>(id: string, is: (record: EngineRecord) => record is T): T | undefined {
    const exact = this.records.get(id)
    if (exact) return is(exact) ? exact : undefined
    if (id.length < 4) return undefined
    const matches = [...this.records.values()].filter((record): record is T => is(record) && record.id.startsWith(id))
    if (matches.length > 1) throw new CriError('InvalidArgument', `id ${JSON.stringify(id)} is ambiguous`)
    return matches[0]
  }

  private async ready(): Promise<void> {
    if (!this.live || this.stale) await this.load()
  }

  private async inspect(id: string): Promise<EngineRecord | undefined> {
    this.readAt.set(id, Date.now())
    try {
      const inspected = await this.engine.docker.getContainer(id).inspect()
      const record = recordOf(inspected, this.node)
      // Docker keeps what it is removing in sight for a moment.
      if (record && inspected.State.Status !== 'removing' && !this.gone.has(id)) this.put(record)
      return record
    } catch (error) {
      if (engineStatus(error) !== 404) throw error
      this.drop(id)
      return undefined
    }
  }

  private put(record: EngineRecord): void {
    const old = this.records.get(record.id)
    this.records.set(record.id, record)
    for (const kind of changes(old, record)) this.emit('change', { kind, record, at: timeOf(kind, record) })
  }

  private drop(id: string): void {
    this.readAt.delete(id)
    this.gone.add(id)
    setTimeout(() => this.gone.delete(id), goneMs).unref()
    const old = this.records.get(id)
    if (!old) return
    this.records.delete(id)
    if (old.state === 'running') this.emit('change', { kind: 'stopped', record: { ...old, state: 'exited', pid: 0 }, at: now() })
    this.emit('change', { kind: 'deleted', record: old, at: now() })
  }

  /** Reads all containers of this node; callers at the same time share one reading. */
  private load(): Promise<void> {
    this.loading ??= attempt('list containers', () => this.readAll())
      .then(() => void (this.stale = false))
      .finally(() => {
        this.loading = undefined
      })
    return this.loading
  }

  private async readAll(): Promise<void> {
    const listed = await this.engine.docker.listContainers({ all: true, filters: { label: [`${labelKeys.node}=${this.node}`] } })
    const ids = listed.map(({ Id }) => Id)
    for (const id of this.records.keys()) if (!ids.includes(id)) await this.refreshOrLeave(id)
    const queue = [...ids]
    const worker = async (): Promise<void> => {
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) await this.refreshOrLeave(id)
    }
    await Promise.all(Array.from({ length: parallelInspections }, worker))
  }

  /** Like `refresh`; what takes too long goes on by itself, and what is known of the container so far holds until it is done. */
  private async refreshOrLeave(id: string): Promise<void> {
    const refreshing = this.refresh(id)
    const timer = Promise.withResolvers<'late'>()
    const timeout = setTimeout(() => timer.resolve('late'), inspectionMs)
    const ended = await Promise.race([refreshing, timer.promise]).finally(() => clearTimeout(timeout))
    if (ended !== 'late') return
    this.logger.warn('The Engine hangs on a container; the others go on', { id })
    refreshing.catch((error: unknown) => {
      if (this.controller.signal.aborted) return
      this.logger.error(error, 'Cannot inspect a container on which the Engine hung', { id })
      this.stale = true
    })
  }

  private async follow(first: PromiseWithResolvers<void>): Promise<void> {
    const { signal } = this.controller
    for (let delay = 100; !signal.aborted; delay = Math.min(delay * 2, 3000)) {
      try {
        await this.followOnce(() => {
          delay = 100
          first.resolve()
        })
      } catch (error) {
        first.reject(error)
        if (!signal.aborted) this.logger.error(error, 'Lost the Engine’s events; connecting again')
      }
      this.live = false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay)
        signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
      })
    }
  }

  /** Subscribes first and reads everything then, so that nothing falls in between. */
  private async followOnce(loaded: () => void): Promise<void> {
    const { signal } = this.controller
    const filters = { type: ['container'], label: [`${labelKeys.node}=${this.node}`], event: ['create', 'start', 'die', 'destroy', 'oom', 'update', 'pause', 'unpause'] }
    const stream = await this.engine.events(filters)
    const cut = (): void => void stream.destroy()
    signal.addEventListener('abort', cut, { once: true })
    try {
      await this.load()
      this.live = true
      loaded()
      this.emit('connected')
      for await (const line of linesOf(stream)) this.take(line)
    } finally {
      signal.removeEventListener('abort', cut)
      stream.destroy()
    }
    if (!signal.aborted) throw new Error('the Engine ended its event stream')
  }

  private take(line: string): void {
    if (line.trim() === '') return
    const { Actor, Action = '', timeNano = 0 } = JSON.parse(line) as { Action?: string; Actor?: { ID?: string }; timeNano?: number }
    const id = Actor?.ID
    if (id === undefined) return
    if (Action === 'destroy') return this.drop(id)
    const look = (): void => {
      // Who looked since then knows it already.
      if ((this.readAt.get(id) ?? 0) <= timeNano / 1e6 + 1) this.refreshAfterEvent(id, Action)
    }
    const patience = patienceMs[Action]
    if (patience === undefined) look()
    else setTimeout(look, patience).unref()
  }

  private refreshAfterEvent(id: string, action: string | undefined): void {
    this.refresh(id).catch((error: unknown) => {
      this.logger.error(error, 'Cannot inspect a container after an event', { id, action })
      // Unknown is not known: the next reader asks the Engine.
      this.stale = true
    })
  }
}

/** A stream's lines. Unlike readline's, they end with an error when the stream is cut. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** What must have happened between two looks at a container. */
export function changes(old: EngineRecord | undefined, now: EngineRecord): Change['kind'][] {
  const kinds: Change['kind'][] = []
  if (!old) kinds.push('created')
  const restarted = old !== undefined && old.state === 'running' && now.startedAt !== old.startedAt
  if (restarted) kinds.push('stopped')
  const startedSince = now.startedAt !== 0n && (old === undefined || now.startedAt !== old.startedAt)
  if (startedSince) kinds.push('started')
  if (now.state === 'exited' && (old === undefined || old.state !== 'exited' || startedSince)) kinds.push('stopped')
  return kinds
}

function timeOf(kind: Change['kind'], record: EngineRecord): bigint {
  if (kind === 'created') return record.createdAt
  if (kind === 'started') return record.startedAt
  return record.finishedAt === 0n ? now() : record.finishedAt
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}
