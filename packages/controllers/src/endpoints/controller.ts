import { core } from '@berth/api'
import type { Endpoints, Pod, Service } from '@berth/api/types/core/v1'
import { errorText, isConflict, isNotFound, keyOf, selectorFromSet, splitKey, type Informer, type WorkQueue } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { canonicalJson } from '../common/hash.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import type { Controller } from '../context.ts'
import { TriggerTimes, withTriggerTime } from '../endpointslice/trigger-times.ts'
import { planEndpoints } from './subsets.ts'

/** Bears a leader's record, from before there were Leases: it has no Service and must stay. */
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'

/** Keeps the Endpoints of Services that have a selector, for those who do not read EndpointSlices yet. */
export const endpointsController: Controller = {
  name: 'endpoints-controller',
  async run(context) {
    const { client } = context
    const byNamespace = (object: { metadata: { namespace?: string } }): string[] => [object.metadata.namespace ?? '']
    const services = context.informers.for(core.services, { indexers: { namespace: byNamespace } })
    const pods = context.informers.for(core.pods, { indexers: { namespace: byNamespace } })
    const endpoints = context.informers.for(core.endpoints)
    const recorder = context.recorder('endpoint-controller')
    const triggers = new TriggerTimes()
    const write = (wanted: Endpoints, exists: boolean): Promise<unknown> => exists ? client.update(core.endpoints, wanted) : client.create(core.endpoints, wanted)
    const frame = keyedController({
      name: 'endpoint', workers: 5, context, informers: [services, pods, endpoints],
      async sync(key) {
        const service = services.store.get(key)
        const known = endpoints.store.get(key)
        const { namespace, name } = splitKey(key)
        if (service === undefined) {
          triggers.forget(key)
          if (known !== undefined) await client.delete(core.endpoints, name, { namespace, preconditions: { uid: known.metadata.uid } }).catch(ignore(isNotFound))
          return
        }
        if (service.spec.type === 'ExternalName' || !hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return
        const selector = selectorFromSet(service.spec.selector)
        const own = pods.store.byIndex('namespace', namespace).filter((pod) => selector.matches(pod.metadata.labels))
        const wanted = planEndpoints(service, own, known)
        const time = triggers.next(key, service, own)
        if (wanted === undefined) return
        try {
          await write({ ...wanted, metadata: withTriggerTime(wanted.metadata, time) }, known !== undefined)
        } catch (error) {
          if (isNamespaceTerminating(error)) return
          if (!isConflict(error)) recorder.event(service, 'Warning', known === undefined ? 'FailedToCreateEndpoint' : 'FailedToUpdateEndpoint', `Failed to ${known === undefined ? 'create' : 'update'} endpoint for service ${key}: ${errorText(error)}`)
          throw error
        }
      },
    })
    const off = watch(services, pods, endpoints, frame.queue)
    const leftovers = endpoints.whenSynced(context.signal).then(() => {
      for (const each of endpoints.store.list()) if (each.metadata.annotations?.[leaderAnnotation] === undefined) frame.queue.add(keyOf(each))
    }, (error: unknown) => { if (!context.signal.aborted) throw error })
    await Promise.all([frame.run(), leftovers])
    for (const remove of off) remove()
  },
}

function hasSelector(service: Service): boolean {
  return Object.keys(service.spec.selector ?? {}).length > 0
}

function watch(services: Informer<Service>, pods: Informer<Pod>, endpoints: Informer<Endpoints>, queue: WorkQueue): (() => void)[] {
  const enqueue = (service: Service): void => queue.add(keyOf(service))
  const offer = (pod: Pod): void => {
    for (const service of services.store.byIndex('namespace', pod.metadata.namespace ?? '')) if (hasSelector(service) && selectorFromSet(service.spec.selector).matches(pod.metadata.labels)) enqueue(service)
  }
  // Somebody else wrote or removed what we keep; what has no Service is looked at once, at the start.
  const changed = (object: Endpoints): void => {
    if (services.store.get(keyOf(object)) !== undefined) queue.add(keyOf(object))
  }
  return [
    services.on({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue }),
    pods.on({
      added: offer,
      updated(old, now) {
        if (facts(old) === facts(now)) return
        offer(now)
        if (canonicalJson(old.metadata.labels) !== canonicalJson(now.metadata.labels)) offer(old)
      },
      deleted: offer,
    }),
    endpoints.on({ updated: (_old, now) => changed(now), deleted: changed }),
  ]
}

/** Everything about a pod that an address shows. */
function facts(pod: Pod): string {
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status
  return JSON.stringify([pod.metadata.labels, pod.status?.phase, pod.status?.podIP, pod.status?.podIPs, ready, pod.metadata.deletionTimestamp !== undefined, pod.spec.nodeName])
}
