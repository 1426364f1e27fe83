import { core, discovery } from '@berth/api'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { isNotFound, keyOf } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { managedByLabel, serviceNameLabel } from '../endpointslice/plan.ts'
import { isMirrored, mirroredBy, planMirror } from './mirror.ts'

/** Mirrors into EndpointSlices the Endpoints that somebody keeps for a Service without a selector, for those who read slices alone. */
export const endpointSliceMirroringController: Controller = {
  name: 'endpointslice-mirroring-controller',
  async run(context) {
    const { client, settings: { mirroringMaxEndpointsPerSubset: most } } = context
    const recorder = context.recorder('endpoint-slice-mirroring-controller')
    const services = context.informers.for(core.services)
    const endpoints = context.informers.for(core.endpoints)
    const slices = context.informers.for(discovery.endpointslices, { indexers: { mirrored: (slice) => [mirroredKey(slice) ?? ''] } })
    const frame = keyedController({
      name: 'endpoint_slice_mirroring', workers: 5, context, informers: [services, endpoints, slices],
      async sync(key) {
        const owner = endpoints.store.get(key)
        const existing = slices.store.byIndex('mirrored', key)
        const plan = owner !== undefined && isMirrored(owner, services.store.get(key)) ? planMirror(owner, existing, most) : { create: [], update: [], delete: existing, invalid: 0, skipped: 0 }
        if (owner !== undefined && plan.invalid > 0) recorder.event(owner, 'Warning', 'InvalidIPAddress', `Skipped ${plan.invalid} invalid IP addresses when mirroring to EndpointSlices`)
        if (owner !== undefined && plan.skipped > plan.invalid) recorder.event(owner, 'Warning', 'TooManyAddressesToMirror', `A max of ${most} addresses can be mirrored to EndpointSlices per Endpoints subset. ${plan.skipped} addresses were skipped`)
        for (const slice of plan.create) await client.create(discovery.endpointslices, slice)
        for (const slice of plan.update) await client.update(discovery.endpointslices, slice)
        for (const { metadata: { name, namespace } } of plan.delete) await client.delete(discovery.endpointslices, name, { namespace }).catch(ignore(isNotFound))
      },
    })
    const enqueue = (object: { metadata: { name: string; namespace?: string } }): void => frame.queue.add(keyOf(object))
    const enqueueOwner = (slice: EndpointSlice): void => {
      const key = mirroredKey(slice)
      if (key !== undefined) frame.queue.add(key)
    }
    const off = [
      services.on({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue }),
      endpoints.on({ added: enqueue, updated: (_old, now) => enqueue(now), deleted: enqueue }),
      slices.on({ added: enqueueOwner, updated: (_old, now) => enqueueOwner(now), deleted: enqueueOwner }),
    ]
    await frame.run()
    for (const remove of off) remove()
  },
}

/** The key of the Endpoints that a slice of ours mirrors. */
function mirroredKey(slice: EndpointSlice): string | undefined {
  const labels = slice.metadata.labels ?? {}
  const name = labels[serviceNameLabel]
  return labels[managedByLabel] !== mirroredBy || name === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${name}`
}
