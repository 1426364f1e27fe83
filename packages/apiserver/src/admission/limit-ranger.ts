import { core, parseQuantity, type Quantity } from '@berth/api'
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { podQuantities, quantitiesOf, type Quantities } from '@berth/pod-rules'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { podOf, refuse } from './pods.ts'

const annotation = 'kubernetes.io/limit-ranger'

/** Fills in what a namespace's LimitRanges give containers that say nothing, and refuses what is beyond their bounds. */
export function limitRanger(store: ResourceStore): AdmissionPlugin {
  const rangesOf = ({ namespace, oldObject, object }: AdmissionAttributes): LimitRange[] => {
    // What is being deleted must be able to lose its finalizers.
    if (oldObject && object?.metadata.deletionTimestamp) return []
    return namespace === '' ? [] : store.list(core.limitranges, namespace)
  }
  return {
    name: 'LimitRanger',
    handles: (operation) => operation === 'CREATE' || operation === 'UPDATE',
    admit(attributes) {
      const pod = podOf(attributes)
      // Resources do not change after creation, but by a resize.
      if (!pod || attributes.operation === 'UPDATE') return
      for (const range of rangesOf(attributes)) applyDefaults(pod, range)
    },
    validate(attributes) {
      // What is created below a pod (a Binding, an Eviction) is no pod.
      const wanted = attributes.operation === 'UPDATE' ? 'resize' : ''
      const pod = attributes.subresource === wanted ? podOf({ ...attributes, subresource: '' }) : undefined
      const claim = claimOf(attributes)
      if (!pod && !claim) return
      for (const range of rangesOf(attributes)) {
        const problems = (range.spec?.limits ?? []).flatMap((item) => (pod ? podProblems(pod, item) : claim ? claimProblems(claim, item) : []))
        if (problems.length > 0) throw refuse(attributes, problems.length === 1 ? problems[0] ?? '' : `[${problems.join(', ')}]`)
      }
    },
  }
}

function claimOf({ resource, subresource, object }: AdmissionAttributes): PersistentVolumeClaim | undefined {
  return resource.group === '' && resource.resource === 'persistentvolumeclaims' && subresource === '' ? object as unknown as PersistentVolumeClaim | undefined : undefined
}

/** The defaults that a range has for containers: a limit stands in for a missing request. */
function containerDefaults(range: LimitRange): { requests: Record<string, string>, limits: Record<string, string> } {
  const requests: Record<string, string> = {}
  const limits: Record<string, string> = {}
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'Container') continue
    Object.assign(requests, item.defaultRequest)
    Object.assign(limits, item.default)
  }
  return { requests, limits }
}

function applyDefaults(pod: Pod, range: LimitRange): void {
  const defaults = containerDefaults(range)
  const notes: string[] = []
  const fill = (container: Container, what: string): void => {
    for (const list of ['requests', 'limits'] as const) {
      const given = container.resources?.[list] ?? {}
      const missing = Object.entries(defaults[list]).filter(([name]) => given[name] === undefined)
      if (missing.length === 0) continue
      container.resources = { ...container.resources, [list]: { ...given, ...Object.fromEntries(missing) } }
      notes.push(`${missing.map(([name]) => name).sort().join(', ')} ${list === 'requests' ? 'request' : 'limit'} for ${what} ${container.name}`)
    }
  }
  for (const container of pod.spec.containers) fill(container, 'container')
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container')
  if (notes.length > 0) pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${notes.join('; ')}` }
}

interface Asked { readonly requests: Quantities, readonly limits: Quantities }

function podProblems(pod: Pod, item: LimitRangeItem): string[] {
  if (item.type === 'Container') {
    return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) => problemsOf(item, { requests: quantitiesOf(resources?.requests), limits: quantitiesOf(resources?.limits) }))
  }
  return item.type === 'Pod' ? problemsOf(item, { requests: podQuantities(pod, 'requests'), limits: podQuantities(pod, 'limits') }) : []
}

function claimProblems({ spec }: PersistentVolumeClaim, item: LimitRangeItem): string[] {
  if (item.type !== 'PersistentVolumeClaim') return []
  const requests = quantitiesOf(spec?.resources?.requests)
  return [
    ...Object.entries(item.min ?? {}).flatMap(([name, text]) => minimum(item.type, name, parseQuantity(text), { requests, limits: {} })),
    ...Object.entries(item.max ?? {}).flatMap(([name, text]) => {
      const request = requests[name]
      return request && request.cmp(parseQuantity(text)) > 0 ? [`maximum ${name} usage per ${item.type} is ${text}, but request is ${request.toString()}`] : []
    }),
  ]
}

function problemsOf(item: LimitRangeItem, asked: Asked): string[] {
  return [
    ...Object.entries(item.min ?? {}).flatMap(([name, text]) => minimum(item.type, name, parseQuantity(text), asked)),
    ...Object.entries(item.max ?? {}).flatMap(([name, text]) => maximum(item.type, name, parseQuantity(text), asked)),
    ...Object.entries(item.maxLimitRequestRatio ?? {}).flatMap(([name, text]) => ratio(item.type, name, parseQuantity(text), asked)),
  ]
}

function minimum(type: string, name: string, min: Quantity, { requests, limits }: Asked): string[] {
  const head = `minimum ${name} usage per ${type} is ${min.toString()}`
  const request = requests[name]
  if (!request) return [`${head}.  No request is specified`]
  if (request.cmp(min) < 0) return [`${head}, but request is ${request.toString()}`]
  const limit = limits[name]
  return limit && limit.cmp(min) < 0 ? [`${head}, but limit is ${limit.toString()}`] : []
}

function maximum(type: string, name: string, max: Quantity, { requests, limits }: Asked): string[] {
  const head = `maximum ${name} usage per ${type} is ${max.toString()}`
  const limit = limits[name]
  if (!limit) return [`${head}.  No limit is specified`]
  if (limit.cmp(max) > 0) return [`${head}, but limit is ${limit.toString()}`]
  const request = requests[name]
  return request && request.cmp(max) > 0 ? [`${head}, but request is ${request.toString()}`] : []
}

function ratio(type: string, name: string, most: Quantity, { requests, limits }: Asked): string[] {
  const request = requests[name]
  const limit = limits[name]
  const head = `${name} max limit to request ratio per ${type} is ${most.toString()}`
  if (!request || request.isZero()) return [`${head}, but no request is specified or request is 0`]
  if (!limit || limit.isZero()) return [`${head}, but no limit is specified or limit is 0`]
  const given = limit.toNumber() / request.toNumber()
  return given > most.toNumber() ? [`${head}, but provided ratio is ${given.toFixed(6)}`] : []
}
