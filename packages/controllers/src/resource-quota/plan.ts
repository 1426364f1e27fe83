import type { ResourceQuota } from '@berth/api/types/core/v1'
import { addQuantities, quotaMatches, quotaUsage, type Quantities, type QuotaResource } from '@berth/pod-rules'
import { quantityOf, type Quantity } from '@berth/api'

const zero = quantityOf(0)
/** Core kinds that are counted under their plain names. */
const plain = new Set(['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'])

/** The kind whose objects use what a quota's name limits: `limits.cpu` is of pods, `count/jobs.batch` of Jobs. Undefined for a name of nothing. */
export function resourceOfName(name: string): QuotaResource | undefined {
  if (name.startsWith('count/')) {
    const [resource = '', ...group] = name.slice('count/'.length).split('.')
    return resource === '' ? undefined : { group: group.join('.'), resource }
  }
  if (plain.has(name)) return { group: '', resource: name }
  if (name.startsWith('services.')) return { group: '', resource: 'services' }
  if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/')) return { group: '', resource: 'persistentvolumeclaims' }
  const isCompute = ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('requests.') || name.startsWith('limits.') || name.startsWith('hugepages-')
  return isCompute ? { group: '', resource: 'pods' } : undefined
}

/** The kinds that a quota counts, each once. */
export function countedKinds(quota: ResourceQuota): QuotaResource[] {
  const kinds = new Map<string, QuotaResource>()
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const kind = resourceOfName(name)
    if (kind) kinds.set(`${kind.resource}.${kind.group}`, kind)
  }
  return [...kinds.values()]
}

/** What of a quota is used by the objects of its namespace; every name that it limits is there. */
export function usedOf(quota: ResourceQuota, objects: Iterable<{ readonly kind: QuotaResource; readonly object: object }>, now: number): Quantities {
  const total: Quantities = {}
  for (const { kind, object } of objects) if (quotaMatches(quota, kind, object)) addQuantities(total, quotaUsage(kind, object, now))
  return Object.fromEntries(Object.keys(quota.spec?.hard ?? {}).map((name): [string, Quantity] => [name, total[name] ?? zero]))
}
