import type { Node, Pod } from '@berth/api/types/core/v1'
import { admit } from '../pods/admission.ts'
import { podKey } from '../pods/containers.ts'
import { fromTime } from '../pods/time.ts'
import { annotations, type PodRuntime } from '../runtime/records.ts'
import type { WorkerContext } from './context.ts'
import { podReference } from './references.ts'
import { PodWorker } from './worker.ts'

/** The pods of this node, each with its worker. */
export interface PodManager {
  /** A pod is bound here, or was changed. */
  upsert(pod: Pod): void
  /** The API has removed the pod. */
  removed(pod: Pod): void
  /** Ends a pod because it takes what it may not: Failed, with reason Evicted. */
  evict(uid: string, message: string): void
  poke(uid: string): void
  pokeAll(): void
  get(uid: string): Pod | undefined
  list(): Pod[]
  /** A container of the runtime belongs to a pod that nobody wants: end it. */
  adoptOrphan(runtime: PodRuntime): void
  has(uid: string): boolean
  finished(pod: Pod): void
  stop(): void
}

const isOver = (pod: Pod): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'

export function createPodManager(context: WorkerContext, node: () => Node): PodManager {
  const workers = new Map<string, PodWorker>()

  /** Pods that take part of the node: not over, and not on their way out with nothing left. */
  const active = (): Pod[] => [...workers.values()].filter((w) => !isOver(w.state.pod) && w.state.phase !== 'ended' && !w.state.ended && !w.state.gone).map((w) => w.state.pod)

  const reject = (worker: PodWorker, reason: string, message: string): void => {
    const { pod } = worker.state
    context.recorder.event(podReference(pod), 'Warning', reason, message)
    context.logger.v(2).info('Pod rejected', { pod: podKey(pod), reason, message })
    worker.state.finalStatus = {
      phase: 'Failed', reason, message: `Pod was rejected: ${message}`, startTime: pod.status?.startTime ?? new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }), ...(pod.status?.qosClass ? { qosClass: pod.status.qosClass } : {}),
    }
    worker.terminate({ ended: { reason, message } })
  }

  const add = (pod: Pod): void => {
    const others = active()
    const worker = new PodWorker(context, pod)
    workers.set(pod.metadata.uid ?? '', worker)
    context.metrics.desiredPods.set({ static: 'false' }, workers.size)
    if (pod.metadata.deletionTimestamp || isOver(pod)) return worker.terminate()
    // A pod with a start time was admitted before; what runs is not thrown out because the node has changed since.
    if (!pod.status?.startTime) {
      const refusal = admit({ pod, node: node(), active: others, allowedUnsafeSysctls: context.settings.allowedUnsafeSysctls })
      if (refusal) return reject(worker, refusal.reason, refusal.message)
    }
    worker.poke()
  }

  return {
    upsert: (pod) => {
      const worker = workers.get(pod.metadata.uid ?? '')
      if (worker) worker.update(pod)
      else add(pod)
    },
    removed: (pod) => {
      const worker = workers.get(pod.metadata.uid ?? '')
      if (!worker) return
      worker.state.pod = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: pod.metadata.deletionTimestamp ?? new Date(context.clock.now()).toISOString() } }
      worker.goneFromApi()
    },
    evict: (uid, message) => {
      const worker = workers.get(uid)
      if (!worker || worker.state.phase !== 'running') return
      context.recorder.event(podReference(worker.state.pod), 'Warning', 'Evicted', message)
      worker.terminate({ ended: { reason: 'Evicted', message }, graceSeconds: 1 })
    },
    poke: (uid) => workers.get(uid)?.poke(),
    pokeAll: () => {
      for (const worker of workers.values()) worker.poke()
    },
    get: (uid) => workers.get(uid)?.state.pod,
    has: (uid) => workers.has(uid),
    list: () => [...workers.values()].filter((w) => !w.state.gone).map((w) => w.state.pod).toSorted((a, b) => fromTime(a.metadata.creationTimestamp) - fromTime(b.metadata.creationTimestamp)),
    adoptOrphan: (runtime) => {
      if (workers.has(runtime.uid)) return
      context.logger.v(2).info('Cleaning up orphaned pod', { pod: `${runtime.namespace}/${runtime.name}`, podUID: runtime.uid })
      const worker = new PodWorker(context, orphanPod(runtime))
      workers.set(runtime.uid, worker)
      worker.goneFromApi()
    },
    finished: (pod) => {
      const uid = pod.metadata.uid ?? ''
      workers.delete(uid)
      context.probes.remove(uid)
      context.metrics.desiredPods.set({ static: 'false' }, workers.size)
      context.logger.v(2).info('Pod has been cleaned up', { pod: podKey(pod), podUID: uid })
    },
    stop: () => {
      for (const worker of workers.values()) worker.stop()
    },
  }
}

/** A pod whose object is gone, as far as the runtime still tells of it. */
function orphanPod(runtime: PodRuntime): Pod {
  const grace = runtime.containers.map((c) => c.annotations[annotations.podDeletionGracePeriod] ?? c.annotations[annotations.podTerminationGracePeriod]).find((g) => g !== undefined)
  const seconds = grace === undefined ? Number.NaN : Number.parseInt(grace, 10)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: runtime.name, namespace: runtime.namespace, uid: runtime.uid },
    spec: { containers: [], restartPolicy: 'Never', ...(Number.isSafeInteger(seconds) ? { terminationGracePeriodSeconds: seconds } : {}) },
  }
}

