import type { Container, Pod, ResourceList } from '@berth/api/types/core/v1'
import { parseQuantity } from '@berth/kube'
import { isSidecar } from './containers.ts'

/** cpu in thousandths, everything else in whole units. */
export type Amounts = Record<string, bigint>

export const amountOf = (name: string, text: string): bigint => (name === 'cpu' ? parseQuantity(text).milliValue() : parseQuantity(text).value())

export const amountsOf = (list: ResourceList | undefined): Amounts => Object.fromEntries(Object.entries(list ?? {}).map(([k, v]) => [k, amountOf(k, v)]))

export function addTo(sum: Amounts, more: Amounts): void {
  for (const [name, value] of Object.entries(more)) sum[name] = (sum[name] ?? 0n) + value
}

function maxInto(best: Amounts, other: Amounts): void {
  for (const [name, value] of Object.entries(other)) if (value > (best[name] ?? 0n)) best[name] = value
}

/**
 * What a pod asks for (`requests`) or may use (`limits`): the sum over containers and sidecars, or the most that one init container needs
 * beside the sidecars started before it, whichever is more; then the overhead. Pod-level amounts replace the sum for what they name.
 */
export function podAmounts(pod: Pod, which: 'requests' | 'limits'): Amounts {
  const of = (c: Container): Amounts => {
    const own = amountsOf(c.resources?.[which])
    // A limit without a request is a request of that size; the API server's defaults do this too, static pods have no such help.
    return which === 'requests' ? { ...amountsOf(c.resources?.limits), ...own } : own
  }
  const sum: Amounts = {}
  for (const c of pod.spec.containers) addTo(sum, of(c))
  const sidecars: Amounts = {}
  const peak: Amounts = {}
  for (const c of pod.spec.initContainers ?? []) {
    if (isSidecar(c)) {
      addTo(sidecars, of(c))
      maxInto(peak, sidecars)
    } else {
      const withSidecars = { ...of(c) }
      addTo(withSidecars, sidecars)
      maxInto(peak, withSidecars)
    }
  }
  addTo(sum, sidecars)
  maxInto(sum, peak)
  Object.assign(sum, amountsOf(pod.spec.resources?.[which]))
  for (const [name, value] of Object.entries(amountsOf(pod.spec.overhead))) if (which === 'requests' || sum[name] !== undefined) sum[name] = (sum[name] ?? 0n) + value
  return sum
}
