import type { Container, Pod, PodQOSClass } from '@berth/api/types/core/v1'
import { amountsOf, podAmounts } from '../pods/resources.ts'

const minShares = 2
const maxShares = 262_144
const minQuotaMicros = 1000

/** cpu.shares (v1) of an amount of thousandths of a CPU. */
export function cpuShares(milli: bigint): number {
  if (milli === 0n) return minShares
  return Math.min(maxShares, Math.max(minShares, Math.floor((Number(milli) * 1024) / 1000)))
}

/** cpu.cfs_quota_us of an amount of thousandths of a CPU; 0 means no quota. */
export function cpuQuota(milli: bigint, periodMicros: number): number {
  if (milli === 0n) return 0
  return Math.max(minQuotaMicros, Math.floor((Number(milli) * periodMicros) / 1000))
}

/** cpu.weight (v2) of cpu.shares: the range [2, 262144] onto [1, 10000], as kubelets and runc did before 2025. */
export const cpuWeight = (shares: number): number => Math.floor(1 + ((Math.max(minShares, shares) - minShares) * 9999) / (maxShares - minShares))

/** oom_score_adj: the less of its request a container may be above, the later it is killed. */
export function oomScoreAdj(pod: Pod, c: Container, qos: PodQOSClass, memoryCapacity: bigint): number {
  if (pod.spec.priorityClassName === 'system-node-critical' && (pod.spec.priority ?? 0) >= 2_000_001_000) return -997
  if (qos === 'Guaranteed') return -997
  if (qos === 'BestEffort') return 1000
  const request = amountsOf(c.resources?.requests).memory ?? 0n
  const adjust = 1000 - Number((1000n * request) / (memoryCapacity > 0n ? memoryCapacity : 1n))
  if (adjust < 1000 + -997) return 1000 + -997
  return adjust === 1000 ? adjust - 1 : adjust
}

/** What one pod's cgroup gets. Absent means "leave it". */
export interface CgroupValues {
  cpuShares?: number
  cpuQuota?: number
  cpuPeriod?: number
  memoryLimit?: bigint
  pidsLimit?: number
}

/** The values of a pod's own cgroup, above those of its containers. A limit holds only when every container has one. */
export function podCgroupValues(pod: Pod, qos: PodQOSClass, options: { cfsQuota: boolean; periodMicros: number; pidsLimit: number }): CgroupValues {
  const requests = podAmounts(pod, 'requests')
  const limits = podAmounts(pod, 'limits')
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const everyLimits = (name: string): boolean => pod.spec.resources?.limits?.[name] !== undefined || all.every((c) => (amountsOf(c.resources?.limits)[name] ?? 0n) > 0n)
  const pids = options.pidsLimit > 0 ? { pidsLimit: options.pidsLimit } : {}
  if (qos === 'BestEffort') return { cpuShares: minShares, ...pids }
  const values: CgroupValues = { cpuShares: cpuShares(requests.cpu ?? 0n), ...pids }
  if (everyLimits('cpu') && options.cfsQuota) {
    values.cpuQuota = cpuQuota(limits.cpu ?? 0n, options.periodMicros)
    values.cpuPeriod = options.periodMicros
  }
  if (everyLimits('memory')) values.memoryLimit = limits.memory ?? 0n
  return values
}

/** A file of a cgroup directory and what is written into it. */
export interface CgroupWrite { controller: string; file: string; value: string }

/** The writes of these values: cgroup v1 has a directory per controller, v2 one (`controller` is then empty). */
export function cgroupWrites(values: CgroupValues, version: 1 | 2): CgroupWrite[] {
  const writes: CgroupWrite[] = []
  const put = (controller: string, file: string, value: string): void => void writes.push({ controller: version === 1 ? controller : '', file, value })
  if (version === 1) {
    if (values.cpuShares !== undefined) put('cpu', 'cpu.shares', String(values.cpuShares))
    if (values.cpuPeriod !== undefined) put('cpu', 'cpu.cfs_period_us', String(values.cpuPeriod))
    if (values.cpuQuota !== undefined) put('cpu', 'cpu.cfs_quota_us', String(values.cpuQuota > 0 ? values.cpuQuota : -1))
    if (values.memoryLimit !== undefined) put('memory', 'memory.limit_in_bytes', String(values.memoryLimit))
  } else {
    if (values.cpuShares !== undefined) put('', 'cpu.weight', String(cpuWeight(values.cpuShares)))
    if (values.cpuQuota !== undefined) put('', 'cpu.max', `${values.cpuQuota > 0 ? values.cpuQuota : 'max'} ${values.cpuPeriod ?? 100_000}`)
    if (values.memoryLimit !== undefined) put('', 'memory.max', String(values.memoryLimit))
  }
  if (values.pidsLimit !== undefined) put('pids', 'pids.max', String(values.pidsLimit))
  return writes
}

/** Where a pod's cgroup is below the mount: `<root>/kubepods[/burstable|/besteffort]/pod<uid>`. */
export function podCgroupPath(root: string, qos: PodQOSClass, uid: string): string {
  return `${qosCgroupPath(root, qos)}/pod${uid}`
}

export function qosCgroupPath(root: string, qos: PodQOSClass): string {
  const base = `${root === '/' ? '' : root.replace(/\/+$/, '')}/kubepods`
  return qos === 'Guaranteed' ? base : `${base}/${qos.toLowerCase()}`
}
