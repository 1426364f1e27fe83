import { core } from '@berth/api'
import type { ResourceQuota } from '@berth/api/types/core/v1'
import { judgeQuota, quotaMatches, quotaUsage, subtractQuantities, textsOf, type Quantities } from '@berth/pod-rules'
import { StatusError } from '../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { refuse } from './pods.ts'

const attempts = 10

/**
 * Refuses what would exceed a namespace's quotas. What is let in is counted in the quota's status before the object is
 * written, by compare-and-swap, so that of two requests at once only those that fit get through; what then fails to be
 * written is taken back by the quota controller's next look.
 */
export function resourceQuota(store: ResourceStore, now: () => number = Date.now): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async validate(attributes) {
      const { namespace, resource, subresource, object, oldObject, operation, dryRun } = attributes
      if (namespace === '' || !object || (subresource !== '' && subresource !== 'resize')) return
      if (resource.group === '' && resource.resource === 'resourcequotas') return
      for (let attempt = 1; ; attempt++) {
        const quotas = store.list(core.resourcequotas, namespace)
        if (quotas.length === 0) return
        const usage = quotaUsage(resource, object, now())
        const before = operation === 'UPDATE' && oldObject ? quotaUsage(resource, oldObject, now()) : undefined
        const changes = quotas.flatMap((quota) => changeOf(quota, attributes, usage, before))
        if (dryRun || changes.length === 0) return
        try {
          for (const { quota, used } of changes) await store.update(core.resourcequotas, { ...quota, status: { ...quota.status, used } }, { subresource: 'status' })
          return
        } catch (error) {
          // Somebody else was let in meanwhile: judge again by what is used now.
          if (!(error instanceof StatusError) || error.reason !== 'Conflict' || attempt === attempts) throw error
        }
      }
    },
  }
}

/** The quota's status once the request is let in; nothing where it does not count. Throws 403. */
function changeOf(quota: ResourceQuota, attributes: AdmissionAttributes, usage: Quantities, before: Quantities | undefined): { quota: ResourceQuota, used: Record<string, string> }[] {
  const { resource, object, oldObject } = attributes
  if (!object || !quotaMatches(quota, resource, object)) return []
  // An update may bring an object under a quota that did not count it before.
  const wasCounted = before !== undefined && oldObject !== undefined && quotaMatches(quota, resource, oldObject)
  const delta = wasCounted ? subtractQuantities(usage, before) : usage
  const verdict = judgeQuota(quota, resource, object, delta, !wasCounted)
  if (verdict.type === 'refused') throw refuse(attributes, verdict.message)
  return verdict.type === 'allowed' ? [{ quota, used: textsOf(verdict.used) }] : []
}
