import { open, stat } from 'node:fs/promises'
import type { Container, ContainerStatus, CriClient, PodSandbox, PodSandboxStatus } from '@berth/cri'
import { isCriError } from '@berth/cri'
import { readTail } from '../logs/tail.ts'
import { annotations, type ContainerRecord, labels, newestFirst, type PodRuntime, type SandboxRecord } from './records.ts'

const toMs = (nanos: bigint): number => (nanos > 0n ? Number(nanos / 1_000_000n) : 0)

const states = { CONTAINER_CREATED: 'created', CONTAINER_RUNNING: 'running', CONTAINER_EXITED: 'exited', CONTAINER_UNKNOWN: 'unknown' } as const

const maxMessageBytes = 4096
const maxMessageLogBytes = 2048
const maxMessageLogLines = 80

/** A list entry of the runtime: enough to see that something changed. */
export interface Glimpse {
  uid: string
  /** Differs whenever a container or sandbox of the pod came, went or changed its state. */
  fingerprint: string
  running: boolean
}

/** What the runtime has of every pod, from two list calls. Containers without a pod's labels are somebody else's. */
export async function glimpsePods(cri: CriClient): Promise<{ pods: Map<string, Glimpse>; sandboxes: PodSandbox[]; containers: Container[] }> {
  const [{ items }, { containers }] = await Promise.all([cri.listPodSandbox({}), cri.listContainers({})])
  const parts = new Map<string, { lines: string[]; running: boolean }>()
  const add = (uid: string | undefined, line: string, running: boolean): void => {
    if (!uid) return
    const entry = parts.get(uid) ?? { lines: [], running: false }
    entry.lines.push(line)
    entry.running ||= running
    parts.set(uid, entry)
  }
  for (const s of items) add(s.labels[labels.podUid], `${s.id}:${s.state}`, s.state === 'SANDBOX_READY')
  for (const c of containers) add(c.labels[labels.podUid], `${c.id}:${c.state}`, c.state === 'CONTAINER_RUNNING')
  const pods = new Map([...parts].map(([uid, p]) => [uid, { uid, fingerprint: p.lines.toSorted().join(','), running: p.running }]))
  return { pods, sandboxes: items, containers }
}

/** Reads pods out of the runtime. Statuses of exited containers never change and are kept by container ID. */
export interface RuntimeReader {
  read(uid: string): Promise<PodRuntime>
  /** Forgets what is kept of containers that are no longer listed. */
  retain(ids: ReadonlySet<string>): void
}

export function createRuntimeReader(cri: CriClient): RuntimeReader {
  const exited = new Map<string, ContainerRecord>()

  const container = async (listed: Container): Promise<ContainerRecord | undefined> => {
    const kept = exited.get(listed.id)
    if (kept && listed.state === 'CONTAINER_EXITED') return kept
    const status = (await ignoreNotFound(cri.containerStatus({ containerId: listed.id })))?.status
    if (!status) return undefined
    const record = await containerRecord(status, listed.podSandboxId)
    if (record.state === 'exited') exited.set(record.id, record)
    return record
  }
  const sandbox = async (listed: PodSandbox): Promise<SandboxRecord | undefined> => {
    const status = (await ignoreNotFound(cri.podSandboxStatus({ podSandboxId: listed.id })))?.status
    return status ? sandboxRecord(status) : undefined
  }

  return {
    read: async (uid) => {
      const labelSelector = { [labels.podUid]: uid }
      const [{ items }, { containers }] = await Promise.all([cri.listPodSandbox({ filter: { labelSelector } }), cri.listContainers({ filter: { labelSelector } })])
      const [sandboxes, records] = await Promise.all([Promise.all(items.map(sandbox)), Promise.all(containers.map(container))])
      const first = items[0]
      const meta = first?.labels ?? containers[0]?.labels ?? {}
      return {
        uid,
        name: meta[labels.podName] ?? '',
        namespace: meta[labels.podNamespace] ?? '',
        sandboxes: newestFirst(sandboxes.filter((s) => s !== undefined)),
        containers: newestFirst(records.filter((c) => c !== undefined)),
      }
    },
    retain: (ids) => {
      for (const id of exited.keys()) if (!ids.has(id)) exited.delete(id)
    },
  }
}

/** The answer, or undefined where the runtime has no such thing (any more). */
export async function ignoreNotFound<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isCriError(error, 'NotFound')) return undefined
    throw error
  }
}

export function sandboxRecord(s: PodSandboxStatus): SandboxRecord {
  const ips = [s.network?.ip ?? '', ...(s.network?.additionalIps ?? []).map((i) => i.ip)].filter((ip) => ip !== '')
  return {
    id: s.id,
    attempt: s.metadata?.attempt ?? 0,
    ready: s.state === 'SANDBOX_READY',
    createdAt: toMs(s.createdAt),
    ips,
    hostNetwork: s.linux?.namespaces?.options?.network === 'NODE',
    name: s.metadata?.name ?? '',
    namespace: s.metadata?.namespace ?? '',
    uid: s.metadata?.uid ?? '',
    labels: s.labels,
  }
}

async function containerRecord(s: ContainerStatus, sandboxId: string): Promise<ContainerRecord> {
  const linux = s.user?.linux
  const resources = s.resources?.linux
  const record: ContainerRecord = {
    id: s.id,
    sandboxId,
    name: s.labels[labels.containerName] ?? s.metadata?.name ?? '',
    attempt: s.metadata?.attempt ?? 0,
    state: states[s.state],
    createdAt: toMs(s.createdAt),
    startedAt: toMs(s.startedAt),
    finishedAt: toMs(s.finishedAt),
    exitCode: s.exitCode,
    reason: s.reason,
    message: s.message,
    image: s.image?.userSpecifiedImage || s.image?.image || '',
    imageRef: s.imageRef,
    logPath: s.logPath,
    labels: s.labels,
    annotations: s.annotations,
    ...(linux ? { user: { uid: Number(linux.uid), gid: Number(linux.gid), supplementalGroups: linux.supplementalGroups.map(Number) } } : {}),
    ...(resources
      ? { resources: { cpuShares: Number(resources.cpuShares), cpuQuota: Number(resources.cpuQuota), cpuPeriod: Number(resources.cpuPeriod), memoryLimit: Number(resources.memoryLimitInBytes) } }
      : {}),
  }
  if (record.state === 'exited') record.message = await terminationMessage(s, record)
  return record
}

/** A container's last words: the file it was given, or with FallbackToLogsOnError the end of its log after a failure. */
async function terminationMessage(s: ContainerStatus, record: ContainerRecord): Promise<string> {
  const path = s.annotations[annotations.terminationMessagePath]
  const mount = path ? s.mounts.find((m) => m.containerPath === path) : undefined
  let text = ''
  if (mount) text = await readHead(mount.hostPath)
  if (text === '' && s.annotations[annotations.terminationMessagePolicy] === 'FallbackToLogsOnError' && s.exitCode !== 0 && record.logPath)
    text = await readTail(record.logPath, maxMessageLogLines, maxMessageLogBytes).catch(() => '')
  return [record.message, text].filter((t) => t !== '').join(': ')
}

async function readHead(path: string): Promise<string> {
  try {
    if ((await stat(path)).size === 0) return ''
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(maxMessageBytes), 0, maxMessageBytes, 0)
      return buffer.toString('utf8', 0, bytesRead)
    } finally {
      await file.close()
    }
  } catch {
    return ''
  }
}
