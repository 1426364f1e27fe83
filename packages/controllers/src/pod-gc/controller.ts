import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { failPod } from '../common/disruption.ts'
import { periodically } from '../common/keyed-controller.ts'
import { isPodTerminal } from '../common/pods.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { readyOf } from '../node-lifecycle/health.ts'
import { podGarbage } from './plan.ts'

const periodMs = 20_000
/** How long a node must have been missing before its pods are taken for lost. */
const quarantineMs = 40_000

/** Deletes pods that nobody else will: over and too many, on nodes that are gone, or being deleted without ever having had a node. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector-controller',
  async run(context) {
    const nodes = context.informers.for(core.nodes)
    const pods = context.informers.for(core.pods, { indexers: { node: (pod) => [pod.spec.nodeName ?? ''] } })
    const missingSince = new Map<string, number>()
    try {
      await Promise.all([nodes, pods].map((informer) => informer.whenSynced(context.signal)))
    } catch (error) {
      if (context.signal.aborted) return
      throw error
    }
    await periodically(context, 'pod garbage collection', periodMs, async () => {
      const now = context.clock.now()
      const garbage = podGarbage(pods.store.list(), {
        exists: (name) => nodes.store.get(name) !== undefined,
        outOfService: (name) => {
          const node = nodes.store.get(name)
          return node !== undefined && readyOf(node)?.status !== 'True' && (node.spec?.taints ?? []).some((taint) => taint.key === 'node.kubernetes.io/out-of-service')
        },
      }, context.settings.terminatedPodGcThreshold)
      await each(context, garbage.terminated, (pod) => remove(context, pod))
      await each(context, garbage.outOfService, (pod) => removeLost(context, pod, undefined))
      const lost = await lostNodes(context, new Set(garbage.orphaned.map((pod) => pod.spec.nodeName ?? '')), missingSince, now)
      await each(context, garbage.orphaned.filter((pod) => lost.has(pod.spec.nodeName ?? '')), (pod) => removeLost(context, pod, { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' }))
      await each(context, garbage.unscheduled, (pod) => removeLost(context, pod, undefined))
    })
  },
}

/** One pod that cannot be deleted now does not keep the others; it has its turn in the next round. */
async function each({ logger }: ControllerContext, pods: readonly Pod[], act: (pod: Pod) => Promise<void>): Promise<void> {
  for (const pod of pods) await act(pod).catch((error: unknown) => logger.error(error, 'Failed to delete a pod', { pod }))
}

/** Nodes that have been missing for the quarantine, and that the server does not know either. */
async function lostNodes({ client }: ControllerContext, missing: ReadonlySet<string>, since: Map<string, number>, now: number): Promise<Set<string>> {
  for (const name of since.keys()) if (!missing.has(name)) since.delete(name)
  const lost = new Set<string>()
  for (const name of missing) {
    const first = since.get(name)
    if (first === undefined) since.set(name, now)
    else if (now - first >= quarantineMs && await client.get(core.nodes, name).catch(ignore(isNotFound)) === undefined) lost.add(name)
  }
  return lost
}

async function removeLost(context: ControllerContext, pod: Pod, why: { reason: string; message: string } | undefined): Promise<void> {
  if (!isPodTerminal(pod)) {
    const { client, clock } = context
    if (why !== undefined) await failPod(client, pod, why, 'Failed', clock.now())
    else await client.update(core.pods, { ...pod, status: { ...pod.status, phase: 'Failed' } }, { subresource: 'status' }).catch(ignore(isNotFound))
  }
  await remove(context, pod)
}

async function remove({ client, logger }: ControllerContext, pod: Pod): Promise<void> {
  logger.info('PodGC is force deleting Pod', { pod })
  await client.delete(core.pods, pod.metadata.name, { namespace: pod.metadata.namespace, gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } }).catch(ignore(isNotFound))
}
