import { core } from '@berth/api'
import type { Namespace } from '@berth/api/types/core/v1'
import { isConflict, isNotFound } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { deletionConditions, sameConditions } from './conditions.ts'
import { deleteContent } from './delete-content.ts'

const kubernetesFinalizer = 'kubernetes'
/** Creations that were admitted before the deletion are let land. Upstream waits 5 s, for several servers' caches. */
const settleMs = 1_000

/** Empties namespaces that are being deleted, then lets them go. */
export const namespaceController: Controller = {
  name: 'namespace-controller',
  async run(context) {
    const namespaces = context.informers.for(core.namespaces)
    const frame = keyedController({
      name: 'namespace', workers: context.settings.concurrentNamespaceSyncs, context, informers: [namespaces], maxDelayMs: 60_000,
      async sync(key, queue) {
        const namespace = namespaces.store.get(key)
        if (namespace === undefined || namespace.metadata.deletionTimestamp === undefined) return
        const wait = await finalize(context, namespace)
        if (wait !== undefined) queue.addAfter(key, wait)
      },
    })
    const enqueue = (namespace: Namespace): void => {
      if (namespace.metadata.deletionTimestamp !== undefined && hasFinalizer(namespace)) frame.queue.addAfter(namespace.metadata.name, settleMs)
    }
    const off = namespaces.on({ added: enqueue, updated: (_old, now) => enqueue(now) })
    await frame.run()
    off()
  },
}

function hasFinalizer(namespace: Namespace): boolean {
  return (namespace.spec?.finalizers ?? []).includes(kubernetesFinalizer)
}

/** One round; gives in how many milliseconds the next is due, undefined where none is. */
async function finalize({ client, clock, logger }: ControllerContext, known: Namespace): Promise<number | undefined> {
  const { name } = known.metadata
  // Not the informer's: what we decide on here cannot be taken back.
  let namespace = await client.get(core.namespaces, name).catch(ignore(isNotFound))
  if (namespace === undefined || namespace.metadata.uid !== known.metadata.uid || namespace.metadata.deletionTimestamp === undefined || !hasFinalizer(namespace)) return undefined
  if (namespace.status?.phase !== 'Terminating') namespace = await client.update(core.namespaces, { ...namespace, status: { ...namespace.status, phase: 'Terminating' } }, { subresource: 'status' })

  const { report, estimateSeconds } = await deleteContent(client, name)
  const conditions = deletionConditions(namespace.status?.conditions ?? [], report, clock.now())
  // A namespace that was empty at once needs no report.
  const clean = report.remaining.size === 0 && report.deletionFailures.length === 0 && report.discoveryFailures.length === 0
  if (!sameConditions(namespace.status?.conditions ?? [], conditions) && (!clean || (namespace.status?.conditions ?? []).length > 0)) {
    namespace = await client.update(core.namespaces, { ...namespace, status: { ...namespace.status, conditions } }, { subresource: 'status' })
  }
  const failed = [...report.discoveryFailures, ...report.deletionFailures]
  if (failed.length > 0) throw new Error(failed.join(', '))
  if (report.remaining.size > 0) {
    logger.v(4).info('Content remaining in namespace', { namespace: name, waitSeconds: estimateSeconds })
    return Math.min(Math.floor(estimateSeconds / 2) + 1, 5) * 1000
  }
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== kubernetesFinalizer)
  await client.update(core.namespaces, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: 'finalize' }).catch(ignore(isNotFound, isConflict))
  const left = await client.get(core.namespaces, name).catch(ignore(isNotFound))
  return left !== undefined && hasFinalizer(left) ? 1000 : undefined
}
