import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { type Clock, type KubeClient, type Logger, sleep } from '@berth/kube'
import { messageOf } from '../errors.ts'
import type { PodManager } from '../workers/manager.ts'
import { ensureMirror, isMirror, removeMirror } from './mirror.ts'

export interface StaticPodOptions {
  /** A directory of manifests, or one manifest. */
  path: string
  nodeName: string
  client: KubeClient
  pods: PodManager
  /** The node's pods in the API. */
  apiPods(): readonly Pod[]
  node(): Node
  /** The static pod of this uid has a mirror that may not show its status. */
  mirrored(uid: string): void
  clock: Clock
  logger: Logger
  everyMs: number
  signal: AbortSignal
}

/** Pods from manifests on the node's disk. */
export interface StaticPods {
  /** The mirror of a static pod, by the static pod's uid. */
  mirrorOf(uid: string): Pod | undefined
  has(uid: string): boolean
  /** Reads the manifests for the first time; before that no pod may be called an orphan. */
  start(): Promise<void>
  /** A mirror came, went or changed. */
  poke(mirror: Pod): void
}

export function createStaticPods(options: StaticPodOptions): StaticPods {
  const { path, nodeName, client, pods, clock, logger, signal } = options
  let current = new Map<string, Pod>()
  let woken = false
  let wake = (): void => {
    woken = true
  }

  const files = async (): Promise<string[]> => {
    const found = await stat(path).catch(() => undefined)
    if (!found) return []
    if (!found.isDirectory()) return [path]
    return (await readdir(path)).filter((n) => !n.startsWith('.')).toSorted().map((n) => join(path, n))
  }
  const read = async (): Promise<void> => {
    const { readManifest } = await import('./manifest.ts')
    const next = new Map<string, Pod>()
    for (const file of await files()) {
      try {
        const pod = await readManifest(file, nodeName, new Date(clock.now()).toISOString())
        const uid = pod.metadata.uid ?? ''
        // A pod that is known keeps its object: the time it was seen is no change.
        next.set(uid, current.get(uid) ?? pod)
      } catch (error) {
        logger.error(error, 'Could not process manifest file', { path: file })
      }
    }
    for (const [uid, pod] of current) if (!next.has(uid)) pods.removed(pod)
    for (const [uid, pod] of next) if (!current.has(uid)) pods.upsert(pod)
    current = next
  }
  const fullName = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.name}`
  const mirror = async (): Promise<void> => {
    const known = new Map(options.apiPods().filter(isMirror).map((p) => [fullName(p), p]))
    const wanted = new Set([...current.values()].map(fullName))
    for (const [name, pod] of known) if (!wanted.has(name)) await removeMirror(client, pod)
    for (const pod of current.values()) await ensureMirror(client, pod, known.get(fullName(pod)), options.node(), logger)
  }
  /** Waits for the interval, or for a change; one that came since the last look ends it at once. */
  const pause = async (): Promise<void> => {
    if (woken) return
    const done = new AbortController()
    wake = () => {
      woken = true
      done.abort()
    }
    await sleep(clock, options.everyMs, AbortSignal.any([signal, done.signal])).catch(() => {})
  }

  return {
    mirrorOf: (uid) => {
      const pod = current.get(uid)
      return pod && options.apiPods().find((p) => isMirror(p) && fullName(p) === fullName(pod))
    },
    has: (uid) => current.has(uid),
    start: async () => {
      await read()
      let watcher: FSWatcher | undefined
      try {
        watcher = watch(path, () => wake())
        watcher.on('error', () => {})
        signal.addEventListener('abort', () => watcher?.close(), { once: true })
      } catch (error) {
        logger.v(1).info('Static pod path cannot be watched, it is read at intervals', { path, err: messageOf(error) })
      }
      void (async () => {
        while (!signal.aborted) {
          woken = false
          await mirror().catch((error: unknown) => logger.error(error, 'Failed creating or removing a mirror pod'))
          await pause()
          // Editors write in several steps.
          await sleep(clock, 100, signal).catch(() => {})
          if (!signal.aborted) await read()
        }
      })()
    },
    poke: (mirror) => {
      for (const [uid, pod] of current) if (fullName(pod) === fullName(mirror)) options.mirrored(uid)
      wake()
    },
  }
}
