import { networking } from '@berth/api'
import type { BootstrapHook, ResourceStore, ServerLog } from '../interfaces.ts'
import { ignoreExisting } from './namespaces-hook.ts'
import { repeat } from './repeat.ts'

const name = 'kubernetes'

/** Makes the default ServiceCIDR out of --service-cluster-ip-range and marks it ready. A range that was configured otherwise before stays, with a word in the log. */
export function serviceCidrHook(store: ResourceStore, ranges: string, log: ServerLog): BootstrapHook {
  const cidrs = ranges.split(',').map((r) => r.trim())
  return {
    name: 'start-kubernetes-service-cidr-controller',
    run: (signal) => repeat(async () => {
      const live = store.get(networking.servicecidrs, name)
      if (!live) await ignoreExisting(store.create(networking.servicecidrs, { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } }))
      const now = store.get(networking.servicecidrs, name)
      if (!now || now.metadata.deletionTimestamp || now.status?.conditions?.some((c) => c.type === 'Ready')) return
      if (now.spec?.cidrs?.join() !== cidrs.join()) log.info('The default ServiceCIDR differs from --service-cluster-ip-range', { stored: now.spec?.cidrs, configured: cidrs })
      await store.update(networking.servicecidrs, {
        ...now,
        status: { conditions: [{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready', lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z') }] },
      }, { subresource: 'status' })
    }, 60_000, signal, log, 'reconcile the default ServiceCIDR'),
  }
}
