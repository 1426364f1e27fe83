import { core } from '@berth/api'
import type { Pod, PodCondition, PodStatus } from '@berth/api/types/core/v1'
import { isConflict, isNotFound, type KubeClient, type Logger, createWorkQueue, runWorkers } from '@berth/kube'
import { stableJson } from '../pods/containers.ts'
import { ownedConditions } from '../pods/pod-status.ts'

/** Writes pod statuses to the API: only what differs, one request at a time for each pod, tried again until it is in. */
export interface StatusManager {
  /** The last status decided for the pod, if any. */
  get(uid: string): PodStatus | undefined
  set(pod: Pod, status: PodStatus): void
  /** Everything of the pod is gone from this node: after the last status the object may go too. */
  finish(pod: Pod, status: PodStatus): void
  forget(uid: string): void
  /** The pod's object in the API is another one than before: what was decided is written to this one too. */
  again(uid: string): void
  start(signal: AbortSignal): void
}

interface Entry {
  pod: Pod
  status: PodStatus
  finished: boolean
  /** The pod as the API answered the last write. */
  answer?: Pod
}

const fields = [
  'phase', 'conditions', 'message', 'reason', 'hostIP', 'hostIPs', 'podIP', 'podIPs', 'startTime', 'initContainerStatuses', 'containerStatuses',
  'ephemeralContainerStatuses', 'qosClass', 'observedGeneration',
] as const

const version = (pod: Pod): bigint => BigInt(/^\d+$/.test(pod.metadata.resourceVersion ?? '') ? (pod.metadata.resourceVersion ?? '0') : '0')

/** Empty objects say nothing; the API may or may not give them back. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([k, v]) => [k, withoutEmpty(v)] as const)
  return Object.fromEntries(entries.filter(([, v]) => v !== undefined && v !== null && !(typeof v === 'object' && !Array.isArray(v) && Object.keys(v).length === 0)))
}

const same = (a: unknown, b: unknown): boolean => stableJson(withoutEmpty(a)) === stableJson(withoutEmpty(b))

const owned = (c: PodCondition): boolean => (ownedConditions as readonly string[]).includes(c.type)

const absent = (there: PodCondition | undefined, c: PodCondition): Record<string, null> =>
  Object.fromEntries((['reason', 'message'] as const).filter((k) => there?.[k] !== undefined && c[k] === undefined).map((k) => [k, null]))

/** The strategic merge patch that brings the live status to the wanted one; undefined where nothing of ours differs. */
export function statusPatch(live: PodStatus | undefined, wanted: PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {}
  for (const field of fields) {
    const now = live?.[field]
    const want = wanted[field]
    if (field === 'conditions') {
      const liveConditions = live?.conditions ?? []
      const changed = (wanted.conditions ?? []).filter((c) => {
        const there = liveConditions.find((l) => l.type === c.type)
        // Conditions of others are theirs; PodScheduled is added where nobody has.
        return owned(c) ? !same(there, c) : !there
      })
      // A field that a condition no longer has must be said to be gone: the patch merges conditions by type.
      if (changed.length > 0) patch.conditions = changed.map((c) => ({ ...absent(liveConditions.find((l) => l.type === c.type), c), ...c }))
    } else if (want === undefined || (Array.isArray(want) && want.length === 0)) {
      if (now !== undefined && !(Array.isArray(now) && now.length === 0)) patch[field] = null
    } else if (!same(now, want)) {
      // These lists merge by address in a strategic patch; an address that went would stay.
      patch[field] = field === 'podIPs' || field === 'hostIPs' ? [{ $patch: 'replace' }, ...(want as object[])] : want
    }
  }
  return Object.keys(patch).length > 0 ? patch : undefined
}

export function createStatusManager(options: { client: KubeClient; logger: Logger; live(uid: string): Pod | undefined }): StatusManager {
  // A static pod's live object is its mirror, whose uid is another one.
  const { client, logger } = options
  const entries = new Map<string, Entry>()
  const queue = createWorkQueue<string>({ name: 'pod_status', baseDelayMs: 200, maxDelayMs: 10_000 })

  /** The newer of what the watch brought and what the last write was answered with. */
  const liveOf = (uid: string): Pod | undefined => {
    const live = options.live(uid)
    const answer = entries.get(uid)?.answer
    return live && answer && version(answer) > version(live) ? answer : live
  }

  const set = (pod: Pod, status: PodStatus, finished: boolean): void => {
    const uid = pod.metadata.uid ?? ''
    const before = entries.get(uid)
    entries.set(uid, { ...before, pod, status, finished: finished || before?.finished === true })
    if (!before || finished || statusPatch((liveOf(uid) ?? pod).status, status)) queue.add(uid)
  }

  const write = async (uid: string): Promise<void> => {
    const entry = entries.get(uid)
    if (!entry) return
    const { pod, status, finished } = entry
    const { name, namespace = '' } = pod.metadata
    const live = liveOf(uid)
    if (!live) return
    const patch = statusPatch(live.status, status)
    try {
      if (patch) {
        const answer = await client.patch(core.pods, name, { type: 'strategic', body: { metadata: { uid: live.metadata.uid }, status: patch } }, { namespace, subresource: 'status' })
        const current = entries.get(uid)
        if (current) current.answer = answer
        logger.v(3).info('Status for pod updated successfully', { pod: `${namespace}/${name}`, podUID: uid, phase: answer.status?.phase })
      }
      if (finished && live.metadata.deletionTimestamp && live.metadata.uid === uid) {
        await client.delete(core.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } })
        logger.v(2).info('Pod fully terminated and removed from the API', { pod: `${namespace}/${name}`, podUID: uid })
      }
    } catch (error) {
      // The object is gone, or another one has its name: there is nothing left to say of this one.
      if (isNotFound(error) || isConflict(error)) return
      throw error
    }
    // More may have been decided while the request was under way.
    const now = entries.get(uid)
    if (now && now.status !== status) queue.add(uid)
  }

  return {
    get: (uid) => entries.get(uid)?.status,
    set: (pod, status) => set(pod, status, false),
    finish: (pod, status) => set(pod, status, true),
    forget: (uid) => void entries.delete(uid),
    again: (uid) => {
      if (entries.has(uid)) queue.add(uid)
    },
    start: (signal) => {
      signal.addEventListener('abort', () => queue.shutDown(), { once: true })
      void runWorkers(queue, 4, write, { logger, signal })
    },
  }
}
