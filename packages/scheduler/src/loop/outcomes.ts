import { core } from '@berth/api'
import { errorText, isConflict, isNotFound, sleep, ApiError, type Clock, type EventRecorder, type KubeClient, type Logger } from '@berth/kube'

/** A pod as it is named to the API; plain data. */
export interface PodRef {
  readonly namespace: string
  readonly name: string
  readonly uid: string | undefined
}

/**
 * What the scheduler does to the API. Everything that is decided leaves the loop through here; where the loop has a thread of its own, it is
 * done on another. Failures are the API's own (ApiError), or what befell the connection.
 */
export interface Outcomes {
  /** Binds the pod to the node; resolves when it is bound there for sure, rejects when it is not. */
  bind(pod: PodRef, node: string): Promise<void>
  /** A strategic merge patch of the pod's status, if it is still the same pod. */
  patchStatus(pod: PodRef, status: Readonly<Record<string, unknown>>): Promise<void>
  /** Deletes the pod with its own grace period, if it is still the same pod. */
  deletePod(pod: PodRef): Promise<void>
  event(pod: PodRef, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** How long until an answer that got lost is asked after; milliseconds. */
const askAgainMs = 500

/** How many bindings are under way at a time: more would open connections and not be done sooner. */
const bindingsAtOnce = 32

/** Lets so many go at a time, the others in their order. */
function turnstile(places: number): <T>(act: () => Promise<T>) => Promise<T> {
  const waiting: Array<() => void> = []
  let free = places
  return async (act) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => { waiting.push(resolve) })
    try {
      return await act()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/** Whether a failure leaves open what the server did. */
function isAmbiguous(error: unknown): boolean {
  return !(error instanceof ApiError) || error.code >= 500
}

/** Does it by a client, on this thread. */
export function directOutcomes({ client, recorder, clock, logger, signal }: { client: KubeClient; recorder: EventRecorder; clock: Clock; logger: Logger; signal: AbortSignal }): Outcomes {
  /** Where the pod is; asked until the API answers. */
  const whereIs = async ({ namespace, name, uid }: PodRef): Promise<string | undefined> => {
    for (;;) {
      try {
        const pod = await client.get(core.pods, name, { namespace, signal })
        return uid === undefined || pod.metadata.uid === uid ? pod.spec.nodeName || undefined : undefined
      } catch (error) {
        if (isNotFound(error) || signal.aborted) throw error
        logger.v(2).info('Cannot ask whether a pod has been bound', { pod: `${namespace}/${name}`, reason: errorText(error) })
        await sleep(clock, askAgainMs, signal)
      }
    }
  }
  const inTurn = turnstile(bindingsAtOnce)
  return {
    async bind(pod, node) {
      const { namespace, name, uid } = pod
      try {
        await inTurn(() => client.createSubresource(core.pods, name, 'binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace, ...(uid ? { uid } : {}) }, target: { apiVersion: 'v1', kind: 'Node', name: node } }, { namespace, signal }))
      } catch (error) {
        // What is taken back here while it is bound there would be given to somebody else, too.
        if (signal.aborted || (!isAmbiguous(error) && !isConflict(error))) throw error
        if (await whereIs(pod) !== node) throw error
      }
    },
    async patchStatus({ namespace, name, uid }, status) {
      await client.patch(core.pods, name, { type: 'strategic', body: { metadata: { uid }, status } }, { namespace, subresource: 'status', signal })
    },
    async deletePod({ namespace, name, uid }) {
      await client.delete(core.pods, name, { namespace, ...(uid === undefined ? {} : { preconditions: { uid } }), signal })
    },
    event({ namespace, name, uid }, type, reason, message) {
      recorder.event({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, ...(uid === undefined ? {} : { uid }) } }, type, reason, message)
    },
  }
}
