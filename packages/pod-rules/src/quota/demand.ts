import type { Container, Pod, ResourceQuota } from '@berth/api/types/core/v1'
import type { Quantity } from '@berth/api'
import { quantitiesOf, type Quantities } from './amounts.ts'
import type { QuotaResource } from './usage.ts'

/** What of an object's change a quota limits, and what it says to that. */
export type QuotaVerdict =
  /** Nothing it limits changes. */
  | { readonly type: 'indifferent' }
  | { readonly type: 'allowed'; readonly used: Quantities }
  /** In upstream's words, to follow `exceeded quota: NAME, ` and the like. */
  | { readonly type: 'refused'; readonly message: string }

const listed = (amounts: Readonly<Record<string, Quantity>>, names: readonly string[]): string => names.map((name) => `${name}=${String(amounts[name] ?? 0)}`).join(',')

/** Resources whose quota asks every container of a pod to say what it needs. */
const mustBeSaid: Readonly<Record<string, readonly ['requests' | 'limits', string]>> = {
  'cpu': ['requests', 'cpu'], 'requests.cpu': ['requests', 'cpu'], 'limits.cpu': ['limits', 'cpu'],
  'memory': ['requests', 'memory'], 'requests.memory': ['requests', 'memory'], 'limits.memory': ['limits', 'memory'],
}

/** The quota-limited resources that a pod's containers leave open; in upstream's words. */
function leftOpen(quota: ResourceQuota, pod: Pod): string | undefined {
  const hard = Object.keys(quota.status?.hard ?? {}).filter((name) => mustBeSaid[name]).sort()
  const missing = hard.flatMap((name) => {
    const [of, resource] = mustBeSaid[name] ?? ['requests', '']
    if (pod.spec.resources?.[of]?.[resource] !== undefined) return []
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter((container: Container) => container.resources?.[of]?.[resource] === undefined)
    return containers.length === 0 ? [] : [`${name} for: ${containers.map((container) => container.name).sort().join(',')}`]
  })
  return missing.length === 0 ? undefined : `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`
}

/**
 * Judges a change of usage by one quota (upstream: resourcequota's CheckRequest).
 * @param delta what is used more (less, where negative) than before; for a new object, its usage
 */
export function judgeQuota(quota: ResourceQuota, { group, resource }: QuotaResource, object: object, delta: Readonly<Quantities>, isNew: boolean): QuotaVerdict {
  const hard = quantitiesOf(quota.status?.hard)
  const names = Object.keys(delta).filter((name) => Object.hasOwn(hard, name))
  const unknown = Object.keys(quota.spec?.hard ?? {}).filter((name) => Object.hasOwn(delta, name) && !Object.hasOwn(hard, name)).sort()
  if (unknown.length > 0) return { type: 'refused', message: `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.join(',')}` }
  if (isNew && group === '' && resource === 'pods') {
    const open = leftOpen(quota, object as Pod)
    if (open !== undefined) return { type: 'refused', message: open }
  }
  const changed = names.filter((name) => !delta[name]?.isZero())
  if (changed.length === 0) return { type: 'indifferent' }
  const before = quantitiesOf(quota.status?.used)
  const used: Quantities = { ...before }
  for (const name of changed) {
    const more = delta[name]
    if (more) used[name] = used[name]?.add(more) ?? more
  }
  const exceeded = changed.filter((name) => (delta[name]?.sign() ?? 0) > 0 && hard[name] && used[name] && used[name].cmp(hard[name]) > 0).sort()
  if (exceeded.length > 0) return { type: 'refused', message: `exceeded quota: ${quota.metadata.name}, requested: ${listed(delta, exceeded)}, used: ${listed(before, exceeded)}, limited: ${listed(hard, exceeded)}` }
  return { type: 'allowed', used }
}
