import type { PodSpec, ResourceList } from '../../types/core/v1.ts'
import { child, quantity } from '../common.ts'
import { forbidden, invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { Quantity } from '../../quantity/index.ts'
import { isSidecar } from './context.ts'
import type { PodContext } from './context.ts'
import { checkResources } from './resources.ts'

/** Requests and limits of the pod as a whole, which its containers must fit in. */
export function checkPodLevelResources(spec: PodSpec, at: string, context: PodContext): FieldError[] {
  const resources = spec.resources
  if (!resources) return []
  const errors: FieldError[] = []
  if (resources.claims !== undefined) errors.push(forbidden(child(at, 'claims'), 'claims cannot be set for Resources at pod-level'))
  errors.push(...checkResources(at, resources, context.claimNames, true))
  for (const [name, sum] of Object.entries(aggregateRequests(spec))) {
    const request = resources.requests?.[name]
    if (sum.cmp(quantity(request)) > 0) errors.push(invalid(`${at}.requests[${name}]`, request ?? '0', `must be greater than or equal to aggregate container requests of ${sum.toString()}`))
  }
  spec.containers?.forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const whole = resources.limits?.[name]
      if (whole !== undefined && quantity(limit).cmp(quantity(whole)) > 0) {
        errors.push(invalid(`${at}.containers[${i}][${name}].limits`, limit, `must be less than or equal to pod limits of ${whole}`))
      }
    }
  })
  return errors
}

/** What all containers request at once: regular ones and sidecars together, or one init container after the sidecars before it, whichever is more. */
export function aggregateRequests(spec: PodSpec): Record<string, Quantity> {
  const total: Record<string, Quantity> = {}
  const add = (list: ResourceList | undefined, into: Record<string, Quantity>) => {
    for (const [name, amount] of Object.entries(list ?? {})) into[name] = (into[name] ?? new Quantity(0n)).add(quantity(amount))
  }
  for (const container of spec.containers ?? []) add(container.resources?.requests, total)
  const sidecars: Record<string, Quantity> = {}
  const peak: Record<string, Quantity> = {}
  for (const container of spec.initContainers ?? []) {
    const now = { ...sidecars }
    add(container.resources?.requests, now)
    if (isSidecar(container)) {
      add(container.resources?.requests, total)
      add(container.resources?.requests, sidecars)
    }
    for (const [name, amount] of Object.entries(now)) if (amount.cmp(peak[name] ?? new Quantity(0n)) > 0) peak[name] = amount
  }
  for (const [name, amount] of Object.entries(peak)) if (amount.cmp(total[name] ?? new Quantity(0n)) > 0) total[name] = amount
  return total
}
