import { core } from '@berth/api'
import { sleep, systemClock } from '@berth/kube'
import type { ResourceQuota } from '@berth/api/types/core/v1'
import { judgeQuota, quotaMatches, quotaUsage, subtractQuantities, textsOf, type Quantities } from '@berth/pod-rules'
import { StatusError } from '../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { refuse } from './pods.ts'

const attempts = 10
const retryMs = 10

/**
 * Refuses what would exceed a namespace's quotas. What is let in is counted in the quota's status before the object is
 * written, by compare-and-swap, so that of two requests at once only those that fit get through; what then fails to be
 * written is taken back by the quota controller's next look.
 */
export function resourceQuota(store: ResourceStore, now: () => number = Date.now): AdmissionPlugin {
  const turns = new Turns()
  return {
    name: 'ResourceQuota',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    async validate(attributes) {
      const { namespace, resource, subresource, object } = attributes
      if (namespace === '' || !object || (subresource !== '' && subresource !== 'resize')) return
      if (resource.group === '' && resource.resource === 'resourcequotas') return
      if (store.list(core.resourcequotas, namespace).length === 0) return
      await turns.take(namespace, () => charge(attributes))
    },
  }

  async function charge(attributes: AdmissionAttributes): Promise<void> {
    const { namespace, resource, object, oldObject, operation, dryRun } = attributes
    if (!object) return
    for (let attempt = 1; ; attempt++) {
      const quotas = store.list(core.resourcequotas, namespace)
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
        await sleep(systemClock, attempt * retryMs)
      }
    }
  }
}

/** One after the other within a namespace: whoever comes next sees what was let in before. */
class Turns {
  readonly #last = new Map<string, Promise<void>>()

  async take(namespace: string, act: () => Promise<void>): Promise<void> {
    const before = this.#last.get(namespace) ?? Promise.resolve()
    const mine = before.then(act, act)
    // The next one waits for this turn, however it ends.
    const settled = mine.catch(() => undefined)
    this.#last.set(namespace, settled)
    void settled.then(() => { if (this.#last.get(namespace) === settled) this.#last.delete(namespace) })
    return mine
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
