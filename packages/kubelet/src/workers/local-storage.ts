import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '@berth/api/types/core/v1'
import { podLogDirectory } from '../logs/paths.ts'
import { amountOf, amountsOf, podAmounts } from '../pods/resources.ts'
import { labels } from '../runtime/records.ts'
import type { WorkerContext } from './context.ts'
import type { PodManager } from './manager.ts'

/** Bytes that a pod takes of the node's disk. */
export interface LocalUsage {
  /** emptyDir volumes on disk, by name. */
  volumes: ReadonlyMap<string, bigint>
  /** Writable layer and logs, by container. */
  containers: ReadonlyMap<string, bigint>
}

/** Why a pod must go for what it takes of the disk, in upstream's words; undefined when it may stay. */
export function overLocalLimit(pod: Pod, usage: LocalUsage): string | undefined {
  for (const v of pod.spec.volumes ?? []) {
    const limit = v.emptyDir?.sizeLimit
    if (limit === undefined || amountOf('memory', limit) === 0n) continue
    if ((usage.volumes.get(v.name) ?? 0n) > amountOf('memory', limit)) return `Usage of EmptyDir volume "${v.name}" exceeds the limit "${limit}". `
  }
  for (const c of pod.spec.containers) {
    const limit = c.resources?.limits?.['ephemeral-storage']
    if (limit !== undefined && (usage.containers.get(c.name) ?? 0n) > amountOf('memory', limit)) return `Container ${c.name} exceeded its local ephemeral storage limit "${limit}". `
  }
  const everyLimits = pod.spec.containers.every((c) => (amountsOf(c.resources?.limits)['ephemeral-storage'] ?? 0n) > 0n)
  const total = podAmounts(pod, 'limits')['ephemeral-storage'] ?? 0n
  if (everyLimits && total > 0n) {
    const used = [...usage.volumes.values(), ...usage.containers.values()].reduce((a, b) => a + b, 0n)
    if (used > total) return `Pod ephemeral local storage usage exceeds the total limit of containers ${total}. `
  }
  return undefined
}

const isLimited = (pod: Pod): boolean =>
  (pod.spec.volumes ?? []).some((v) => v.emptyDir?.sizeLimit !== undefined && !v.emptyDir.medium) || pod.spec.containers.some((c) => c.resources?.limits?.['ephemeral-storage'] !== undefined)

/** Evicts pods that are over their limits of local storage. Only pods with such limits are measured. */
export async function enforceLocalStorage(context: WorkerContext, pods: PodManager): Promise<void> {
  const limited = pods.list().filter(isLimited)
  if (limited.length === 0) return
  const { stats } = await context.cri.listContainerStats({})
  for (const pod of limited) {
    const uid = pod.metadata.uid ?? ''
    const volumes = new Map<string, bigint>()
    for (const v of pod.spec.volumes ?? []) if (v.emptyDir && !v.emptyDir.medium) volumes.set(v.name, await diskUsage(join(context.volumes.podDir(uid), 'volumes/kubernetes.io~empty-dir', v.name)))
    const containers = new Map<string, bigint>()
    for (const s of stats) {
      const name = s.attributes?.labels[labels.containerName]
      if (!name || s.attributes?.labels[labels.podUid] !== uid) continue
      containers.set(name, (s.writableLayer?.usedBytes?.value ?? 0n) + (await diskUsage(join(podLogDirectory(context.settings.podLogsDir, pod), name))))
    }
    const message = overLocalLimit(pod, { volumes, containers })
    if (message) pods.evict(uid, message)
  }
}

/** What a directory and all below it take, in bytes of disk; what vanishes meanwhile counts nothing. */
async function diskUsage(dir: string): Promise<bigint> {
  let sum = 0n
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) sum += await diskUsage(path)
    else if (entry.isFile()) sum += BigInt((await stat(path).catch(() => ({ blocks: 0 }))).blocks) * 512n
  }
  return sum
}
