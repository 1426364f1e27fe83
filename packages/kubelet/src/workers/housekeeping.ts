import { readdir, readlink, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, PodSandbox } from '@berth/cri'
import { balanceQos } from '../cgroups/enforce.ts'
import { qosCgroupPath } from '../cgroups/values.ts'
import { messageOf } from '../errors.ts'
import { ignoreNotFound } from '../runtime/read.ts'
import { labels } from '../runtime/records.ts'
import type { WorkerContext } from './context.ts'
import { enforceLocalStorage } from './local-storage.ts'
import type { PodManager } from './manager.ts'

/** Containers and sandboxes that may go: pure. */
export interface GarbagePlan { containers: string[]; sandboxes: string[] }

/**
 * Dead instances beyond the newest of each container, containers whose pod has ended and is unknown, and sandboxes that are neither ready, nor the newest of a
 * living pod, nor home of a container. `known` pods keep one dead instance per container for `kubectl logs --previous` and the status.
 */
export function planGarbage(sandboxes: readonly PodSandbox[], containers: readonly Container[], known: (uid: string) => boolean, minAgeMs: number, now: number): GarbagePlan {
  const byName = new Map<string, Container[]>()
  for (const c of containers) {
    const uid = c.labels[labels.podUid]
    if (!uid || !known(uid)) continue
    const key = `${uid}/${c.labels[labels.containerName] ?? ''}`
    byName.set(key, [...(byName.get(key) ?? []), c])
  }
  const remove = new Set<string>()
  for (const list of byName.values()) {
    const sorted = list.toSorted((a, b) => Number(b.createdAt - a.createdAt))
    // The newest, whatever it is, and the newest dead one before it.
    for (const c of sorted.slice(2)) if (c.state === 'CONTAINER_EXITED' && now - Number(c.createdAt / 1_000_000n) >= minAgeMs) remove.add(c.id)
  }
  const homes = new Set(containers.filter((c) => !remove.has(c.id)).map((c) => c.podSandboxId))
  const newest = new Map<string, PodSandbox>()
  for (const s of sandboxes) {
    const uid = s.labels[labels.podUid] ?? ''
    const best = newest.get(uid)
    if (!best || s.createdAt > best.createdAt) newest.set(uid, s)
  }
  const gone = sandboxes.filter((s) => {
    const uid = s.labels[labels.podUid]
    return uid && known(uid) && s.state !== 'SANDBOX_READY' && !homes.has(s.id) && newest.get(uid)?.id !== s.id
  })
  return { containers: [...remove], sandboxes: gone.map((s) => s.id) }
}

/** Removes what is left of pods that are no more: containers, directories, cgroups, logs. Each call looks at the world anew. */
export async function houseKeep(context: WorkerContext, pods: PodManager, listed: { sandboxes: readonly PodSandbox[]; containers: readonly Container[] }): Promise<void> {
  const { cri, logger, settings } = context
  const problems: string[] = []
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      problems.push(`${what}: ${messageOf(error)}`)
    }
  }
  const inRuntime = new Set([...listed.sandboxes, ...listed.containers].map((x) => x.labels[labels.podUid]).filter((uid) => uid !== undefined))
  for (const uid of inRuntime) if (!pods.has(uid)) await attempt(`orphan ${uid}`, async () => pods.adoptOrphan(await context.runtime.read(uid)))
  const plan = planGarbage(listed.sandboxes, listed.containers, (uid) => pods.has(uid), 60_000, context.clock.now())
  for (const containerId of plan.containers) await attempt(`container ${containerId}`, () => ignoreNotFound(cri.removeContainer({ containerId })))
  for (const podSandboxId of plan.sandboxes) await attempt(`sandbox ${podSandboxId}`, () => ignoreNotFound(cri.removePodSandbox({ podSandboxId })))

  const unused = (uid: string): boolean => !pods.has(uid) && !inRuntime.has(uid)
  for (const uid of await context.volumes.podsOnDisk()) if (unused(uid)) await attempt(`volumes of ${uid}`, () => context.volumes.tearDown(uid, { keepPodDir: false }))
  if (settings.cgroupsPerQos) {
    for (const qos of ['Guaranteed', 'Burstable', 'BestEffort'] as const) {
      const parent = qosCgroupPath(settings.cgroupRoot, qos)
      for (const name of await context.cgroups.children(parent)) {
        if (name.startsWith('pod') && unused(name.slice(3))) await attempt(`cgroup ${name}`, () => context.cgroups.remove(`${parent}/${name}`))
      }
    }
  }
  await attempt('local storage', () => enforceLocalStorage(context, pods))
  await attempt('QoS cgroups', () => balanceQos(context, pods.list()))
  await attempt('log directories', () => cleanLogs(context, unused))
  for (const problem of problems) logger.v(1).info('Cleaning up failed', { err: problem })
}

async function cleanLogs(context: WorkerContext, unused: (uid: string) => boolean): Promise<void> {
  const { podLogsDir, containerLogsDir } = context.settings
  for (const name of await readdir(podLogsDir).catch(() => [])) {
    const uid = name.split('_').at(-1) ?? ''
    // Only what looks like ours, and only pods of this node: others may share the directory.
    if (name.split('_').length === 3 && unused(uid) && context.settings.ownsPodLogs) await rm(join(podLogsDir, name), { recursive: true, force: true })
  }
  for (const name of await readdir(containerLogsDir).catch(() => [])) {
    const path = join(containerLogsDir, name)
    const target = await readlink(path).catch(() => undefined)
    if (target !== undefined && !(await stat(path).catch(() => undefined))) await unlink(path).catch(() => {})
  }
}
