import { core, discovery } from '@berth/api'
import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { isNotFound, keyOf, selectorFromSet, splitKey, type Informer, type Selector, type WorkQueue } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { canonicalJson } from '../common/hash.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isPodReady, isPodTerminal } from '../common/pods.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { desiredEndpoints, zoneOf } from './endpoints.ts'
import { managedBy, managedByLabel, planSlices, serviceNameLabel } from './plan.ts'
import { SeenVersions } from './seen-versions.ts'
import { TriggerTimes, withTriggerTime } from './trigger-times.ts'

/** Keeps the EndpointSlices of Services that have a selector. Slices of a deleted Service are the garbage collector's. */
export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  async run(context) {
    const byNamespace = (object: { metadata: { namespace?: string } }): string[] => [object.metadata.namespace ?? '']
    const services = context.informers.for(core.services, { indexers: { namespace: byNamespace } })
    const pods = context.informers.for(core.pods, { indexers: { namespace: byNamespace, node: (pod) => [pod.spec.nodeName ?? ''] } })
    const nodes = context.informers.for(core.nodes)
    const slices = context.informers.for(discovery.endpointslices, { indexers: { service: (slice) => {
      const service = serviceOf(slice)
      return service === undefined ? [] : [service]
    } } })
    const recorder = context.recorder('endpoint-slice-controller')
    const seen = new SeenVersions(context.clock)
    const triggers = new TriggerTimes()
    const frame = keyedController({
      name: 'endpoint_slice', workers: context.settings.concurrentEndpointSliceSyncs, context, informers: [services, pods, nodes, slices],
      async sync(key, queue) {
        const service = services.store.get(key)
        if (service === undefined) {
          triggers.forget(key)
          return seen.forget(key)
        }
        if (service.spec.type === 'ExternalName' || noSelector(service) || service.metadata.deletionTimestamp !== undefined) return
        const existing = slices.store.byIndex('service', key)
        // The informer will bring what we wrote, and that brings us here again; the pause covers a slice somebody deleted meanwhile.
        if (seen.stale(key, existing)) return queue.addAfter(key, 1000)
        const selector = selectorOf(service)
        const own = pods.store.byIndex('namespace', splitKey(key).namespace).filter((pod) => selector.matches(pod.metadata.labels))
        const desired = desiredEndpoints(service, own, (name) => nodes.store.get(name))
        try {
          const plan = planSlices(service, desired, existing, context.settings.maxEndpointsPerSlice)
          const time = triggers.next(key, service, own)
          const timed = (slice: EndpointSlice): EndpointSlice => ({ ...slice, metadata: withTriggerTime(slice.metadata, time) })
          await write(context, key, seen, { create: plan.create.map(timed), update: plan.update.map(timed), delete: plan.delete })
        } catch (error) {
          recorder.event(service, 'Warning', 'FailedToUpdateEndpointSlices', `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`)
          throw error
        }
        const [missing] = desired.skipped
        if (missing !== undefined) context.logger.v(2).info('Skipping pod, its node is not known', { service: key, pod: keyOf(missing.pod), node: missing.node })
      },
    })
    const off = watch({ services, pods, slices, seen, queue: frame.queue })
    const followNode = (node: Node): void => {
      for (const pod of pods.store.byIndex('node', node.metadata.name)) enqueueServicesOf(services, frame.queue, pod)
    }
    const offNodes = nodes.on({ added: followNode, updated: (old, node) => { if (zoneOf(old) !== zoneOf(node)) followNode(node) } })
    await frame.run()
    for (const remove of [...off, offNodes]) remove()
  },
}

/** Compiled once for each version of a Service: every change of a pod asks every Service of its namespace. */
const selectors = new WeakMap<Service, Selector>()

function selectorOf(service: Service): Selector {
  const known = selectors.get(service) ?? selectorFromSet(service.spec.selector)
  selectors.set(service, known)
  return known
}

function noSelector(service: Service): boolean {
  return Object.keys(service.spec.selector ?? {}).length === 0
}

/** The key of the Service that a slice of ours belongs to. */
function serviceOf(slice: EndpointSlice): string | undefined {
  const labels = slice.metadata.labels ?? {}
  const name = labels[serviceNameLabel]
  return labels[managedByLabel] !== managedBy || name === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${name}`
}

async function write({ client }: ControllerContext, key: string, seen: SeenVersions, plan: ReturnType<typeof planSlices>): Promise<void> {
  for (const slice of plan.create) seen.wrote(key, await client.create(discovery.endpointslices, slice))
  for (const slice of plan.update) seen.wrote(key, await client.update(discovery.endpointslices, slice))
  for (const slice of plan.delete) {
    await client.delete(discovery.endpointslices, slice.metadata.name, { namespace: slice.metadata.namespace }).catch(ignore(isNotFound))
    seen.removed(key, slice)
  }
}

function enqueueServicesOf(services: Informer<Service>, queue: WorkQueue, pod: Pod): void {
  for (const service of services.store.byIndex('namespace', pod.metadata.namespace ?? '')) {
    if (!noSelector(service) && selectorOf(service).matches(pod.metadata.labels)) queue.add(keyOf(service))
  }
}

interface Sources {
  services: Informer<Service>
  pods: Informer<Pod>
  slices: Informer<EndpointSlice>
  seen: SeenVersions
  queue: WorkQueue
}

function watch({ services, pods, slices, seen, queue }: Sources): (() => void)[] {
  const enqueue = (service: Service): void => queue.add(keyOf(service))
  const enqueueSlice = (slice: EndpointSlice): void => {
    const service = serviceOf(slice)
    if (service !== undefined) queue.add(service)
  }
  return [
    services.on({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue }),
    pods.on({
      added: (pod) => enqueueServicesOf(services, queue, pod),
      updated(old, now) {
        const labelsChanged = canonicalJson(old.metadata.labels ?? {}) !== canonicalJson(now.metadata.labels ?? {})
        if (!labelsChanged && endpointFacts(old) === endpointFacts(now)) return
        enqueueServicesOf(services, queue, now)
        if (labelsChanged) enqueueServicesOf(services, queue, old)
      },
      deleted: (pod) => enqueueServicesOf(services, queue, pod),
    }),
    slices.on({
      updated(old, now) {
        enqueueSlice(now)
        if (serviceOf(old) !== serviceOf(now)) enqueueSlice(old)
      },
      added: enqueueSlice,
      deleted(slice) {
        const service = serviceOf(slice)
        if (service !== undefined) seen.removed(service, slice)
        enqueueSlice(slice)
      },
    }),
  ]
}

/** Everything about a pod that its endpoint shows. */
function endpointFacts(pod: Pod): string {
  const { nodeName, hostname, subdomain } = pod.spec
  return JSON.stringify([pod.status?.podIP, pod.status?.podIPs, isPodReady(pod), isPodTerminal(pod), pod.metadata.deletionTimestamp !== undefined, nodeName, hostname, subdomain])
}
