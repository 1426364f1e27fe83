import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CriError } from '@berth/cri'
import type { Logger } from '@berth/kube'
import type { Store } from '../state/store.ts'
import { type ContainerRecord, type EngineRecord, isContainer } from '../state/record.ts'
import { LogFollower } from './follower.ts'

/** How often every log is looked at, in case a file watch was missed. */
const pokeMs = 5000

/** Keeps the CRI logs of all containers. */
export interface LogKeeper {
  start(): Promise<void>
  /** Makes a container's log, empty, before the container is started: who looks right after must find it. */
  prepare(record: ContainerRecord): Promise<void>
  /** Resolves when all that a container has written up to now is in its log. */
  drained(id: string): Promise<void>
  /** ReopenContainerLog. */
  reopen(id: string): Promise<void>
  stop(): Promise<void>
}

/** `engineRoot` is the Engine's data root, where it keeps containers' files. */
export function createLogKeeper(store: Store, engineRoot: string, logger: Logger): LogKeeper {
  const followers = new Map<string, LogFollower>()
  let timer: NodeJS.Timeout | undefined

  const follow = (record: ContainerRecord): LogFollower | undefined => {
    if (record.spec.logPath === '') return undefined
    const known = followers.get(record.id)
    if (known) return known
    const source = join(engineRoot, 'containers', record.id, 'local-logs', 'container.log')
    const follower = new LogFollower(source, record.spec.logPath, logger)
    followers.set(record.id, follower)
    follower.start()
    return follower
  }

  /** The Engine closes its log before it says that the container has died: what is there then is all. */
  const finish = async (record: ContainerRecord): Promise<void> => {
    const follower = follow(record)
    if (!follower) return
    await follower.drain(true)
    followers.delete(record.id)
    await follower.stop()
  }

  const guard = (work: Promise<void>): void => void work.catch((error: unknown) => logger.error(error, 'Cannot finish a container’s log'))
  const finishing = new Map<string, Promise<void>>()
  const finishOnce = (record: ContainerRecord): Promise<void> => {
    const done = finishing.get(record.id) ?? finish(record).finally(() => finishing.delete(record.id))
    finishing.set(record.id, done)
    return done
  }

  const onChange = ({ kind, record }: { kind: string; record: EngineRecord }): void => {
    if (!isContainer(record)) return
    if (kind === 'started' && record.state === 'running') follow(record)
    else if (kind === 'stopped') guard(finishOnce(record))
  }

  return {
    async start() {
      store.on('change', onChange)
      for (const record of await store.containers()) {
        if (record.state === 'running') follow(record)
        else if (record.startedAt !== 0n) guard(finishOnce(record))
      }
      timer = setInterval(() => {
        for (const follower of followers.values()) follower.poke()
      }, pokeMs)
      timer.unref()
    },
    async prepare({ spec }) {
      if (spec.logPath === '') return
      await mkdir(dirname(spec.logPath), { recursive: true })
      await (await open(spec.logPath, 'a', 0o640)).close()
    },
    async drained(id) {
      await finishing.get(id)
      await followers.get(id)?.drain()
    },
    async reopen(id) {
      const record = await store.mustContainer(id)
      if (record.state !== 'running') throw new CriError('FailedPrecondition', `container ${record.id} is not running`)
      await follow(record)?.reopen()
    },
    async stop() {
      store.off('change', onChange)
      clearInterval(timer)
      await Promise.all(finishing.values())
      await Promise.all([...followers.values()].map((follower) => follower.stop()))
      followers.clear()
    },
  }
}
