import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { isNotFound, keyOf } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { canonicalJson } from '../common/hash.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { failPod } from '../common/disruption.ts'
import type { Controller } from '../context.ts'
import { evictionTime } from './plan.ts'

/** Deletes pods from nodes with NoExecute taints that they do not tolerate, or no longer; those that are over too, as upstream. */
export const taintEvictionController: Controller = {
  name: 'taint-eviction-controller',
  async run(context) {
    const { client, clock, logger } = context
    const nodes = context.informers.for(core.nodes)
    const pods = context.informers.for(core.pods, { indexers: { node: (pod) => [pod.spec.nodeName ?? ''] } })
    const recorder = context.recorder('taint-eviction-controller')
    const waiting = new Set<string>()
    const frame = keyedController({
      name: 'noexec_taint_pod', workers: 8, context, informers: [nodes, pods],
      async sync(key, queue) {
        const pod = pods.store.get(key)
        const node = pod?.spec.nodeName === undefined ? undefined : nodes.store.get(pod.spec.nodeName)
        if (pod === undefined || node === undefined || pod.metadata.deletionTimestamp !== undefined) {
          waiting.delete(key)
          return
        }
        const now = clock.now()
        const at = evictionTime(pod, node.spec?.taints ?? [], now)
        if (at === undefined) {
          if (waiting.delete(key)) recorder.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
          return
        }
        if (at > now) {
          waiting.add(key)
          return queue.addAfter(key, at - now)
        }
        logger.info('Deleting pod', { controller: 'taint-eviction-controller', pod })
        recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
        waiting.delete(key)
        await failPod(client, pod, { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' }, undefined, now)
        await client.delete(core.pods, pod.metadata.name, { namespace: pod.metadata.namespace, preconditions: { uid: pod.metadata.uid } }).catch(ignore(isNotFound))
      },
    })
    const enqueue = (pod: Pod): void => {
      if ((pod.spec.nodeName ?? '') !== '') frame.queue.add(keyOf(pod))
    }
    const enqueueNode = (name: string): void => {
      for (const pod of pods.store.byIndex('node', name)) enqueue(pod)
    }
    const off = [
      pods.on({
        added: enqueue,
        updated: (old, now) => {
          if (old.spec.nodeName !== now.spec.nodeName || canonicalJson(old.spec.tolerations) !== canonicalJson(now.spec.tolerations)) enqueue(now)
        },
      }),
      nodes.on({
        added: (node) => enqueueNode(node.metadata.name),
        updated: (old, now) => {
          if (canonicalJson(old.spec?.taints) !== canonicalJson(now.spec?.taints)) enqueueNode(now.metadata.name)
        },
      }),
    ]
    await frame.run()
    for (const remove of off) remove()
  },
}
