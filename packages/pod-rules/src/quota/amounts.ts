import { parseQuantity, quantityOf, type Quantity } from '@berth/api'
import type { Container, Pod } from '@berth/api/types/core/v1'

/** Amounts by resource name, exact and in the format they were written in. */
export type Quantities = Record<string, Quantity>

export function quantitiesOf(list: Readonly<Record<string, string>> | undefined): Quantities {
  return Object.fromEntries(Object.entries(list ?? {}).map(([name, text]) => [name, parseQuantity(text)]))
}

export function textsOf(amounts: Readonly<Quantities>): Record<string, string> {
  return Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, amount.toString()]))
}

export function addQuantities(to: Quantities, more: Readonly<Quantities>): Quantities {
  for (const [name, amount] of Object.entries(more)) to[name] = to[name]?.add(amount) ?? amount
  return to
}

export function subtractQuantities(from: Readonly<Quantities>, less: Readonly<Quantities>): Quantities {
  const out: Quantities = { ...from }
  for (const [name, amount] of Object.entries(less)) out[name] = out[name]?.sub(amount) ?? amount.neg()
  return out
}

export const one = quantityOf(1)

function raise(to: Quantities, other: Readonly<Quantities>): Quantities {
  for (const [name, amount] of Object.entries(other)) if (!to[name] || to[name].cmp(amount) < 0) to[name] = amount
  return to
}

/** A pod's requests or limits, summed as the scheduler sums them: containers and sidecars, the largest init step, pod-level resources, overhead. */
export function podQuantities(pod: Pod, of: 'requests' | 'limits'): Quantities {
  const own = (container: Container): Quantities => quantitiesOf(container.resources?.[of])
  const sum: Quantities = {}
  for (const container of pod.spec.containers) addQuantities(sum, own(container))
  const sidecars: Quantities = {}
  const init: Quantities = {}
  for (const container of pod.spec.initContainers ?? []) {
    if (container.restartPolicy === 'Always') {
      addQuantities(sum, own(container))
      addQuantities(sidecars, own(container))
      raise(init, sidecars)
    } else raise(init, addQuantities(own(container), sidecars))
  }
  raise(sum, init)
  for (const [name, text] of Object.entries(pod.spec.resources?.[of] ?? {})) sum[name] = parseQuantity(text)
  return addQuantities(sum, quantitiesOf(pod.spec.overhead))
}
