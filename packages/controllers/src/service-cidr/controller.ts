import { networking } from '@berth/api'
import type { IPAddress, ServiceCIDR } from '@berth/api/types/networking/v1'
import { isNotFound } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { wireTime } from '../common/pods.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { holdersOf, mayGo, overlap } from './ranges.ts'

const finalizer = 'networking.k8s.io/service-cidr-finalizer'
/** API servers may give addresses of a range away until they have heard that it goes. */
const graceMs = 10_000

/** Says that ServiceCIDRs are ready, and keeps those that are being deleted while Services have addresses of no other. */
export const serviceCidrController: Controller = {
  name: 'service-cidr-controller',
  async run(context) {
    const { client, clock } = context
    const cidrs = context.informers.for(networking.servicecidrs)
    const addresses = context.informers.for(networking.ipaddresses)
    const recorder = context.recorder('service-cidr-controller')
    const frame = keyedController({
      name: 'servicecidrs', workers: 5, context, informers: [cidrs, addresses],
      async sync(key, queue) {
        const cidr = cidrs.store.get(key)
        if (cidr === undefined) return
        const { deletionTimestamp, finalizers = [] } = cidr.metadata
        if (deletionTimestamp === undefined) {
          if (!finalizers.includes(finalizer)) await client.patch(networking.servicecidrs, key, { type: 'strategic', body: { metadata: { finalizers: [finalizer] } } }).catch(ignore(isNotFound))
          await say(context, cidr, true, '', 'Kubernetes Service CIDR is ready').catch((error: unknown) => {
            recorder.event(cidr, 'Warning', 'KubernetesServiceCIDRError', 'The ServiceCIDR Status can not be set to Ready=True')
            throw error
          })
          return
        }
        if (!mayGo(cidr, cidrs.store.list(), addresses.store.list())) {
          return say(context, cidr, false, 'Terminating', 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR')
        }
        const wait = Date.parse(deletionTimestamp) + graceMs - clock.now()
        if (wait > 0) return queue.addAfter(key, wait)
        if (finalizers.includes(finalizer)) await client.patch(networking.servicecidrs, key, { type: 'strategic', body: { metadata: { '$deleteFromPrimitiveList/finalizers': [finalizer] } } }).catch(ignore(isNotFound))
      },
    })
    const look = (cidr: ServiceCIDR): void => {
      frame.queue.add(cidr.metadata.name)
      for (const other of cidrs.store.list()) if (overlap(cidr, other)) frame.queue.add(other.metadata.name)
    }
    const lookAt = (address: IPAddress): void => {
      for (const { metadata } of holdersOf(address, cidrs.store.list())) if (metadata.deletionTimestamp !== undefined) frame.queue.add(metadata.name)
    }
    const off = [cidrs.on({ added: look, updated: (_old, cidr) => look(cidr), deleted: look }), addresses.on({ added: lookAt, deleted: lookAt })]
    await frame.run()
    for (const each of off) each()
  },
}

/** Applies the condition Ready where it does not say so yet. */
async function say({ client, clock }: ControllerContext, { metadata: { name }, status }: ServiceCIDR, isReady: boolean, reason: string, message: string): Promise<void> {
  const wanted = { type: 'Ready', status: isReady ? 'True' as const : 'False' as const, reason, message }
  const known = status?.conditions?.find(({ type }) => type === 'Ready')
  if (known?.status === wanted.status && (known.reason ?? '') === reason && known.message === message) return
  const body = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, status: { conditions: [{ ...wanted, lastTransitionTime: wireTime(clock.now()) }] } }
  await client.patch(networking.servicecidrs, name, { type: 'apply', body }, { subresource: 'status', fieldManager: 'service-cidr-controller', force: true }).catch(ignore(isNotFound))
}
