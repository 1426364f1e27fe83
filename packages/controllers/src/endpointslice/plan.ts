import { core } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import type { Endpoint, EndpointSlice } from '@berth/api/types/discovery/v1'
import { canonicalJson } from '../common/hash.ts'
import { controllerReference } from '../common/owners.ts'
import { addressTypes, groupKey, type DesiredEndpoints, type EndpointGroup } from './endpoints.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const managedBy = 'endpointslice-controller.k8s.io'
export const headlessLabel = 'service.kubernetes.io/headless'
const reserved = new Set([serviceNameLabel, managedByLabel, headlessLabel])

/** What is to be written, in this order. */
export interface SlicePlan {
  create: EndpointSlice[]
  update: EndpointSlice[]
  delete: EndpointSlice[]
}

/**
 * The writes that bring a Service's slices to what is desired, as few as can be: an endpoint stays in its slice; what is new goes to slices that
 * change anyway, then to one with room for all of it, then to new slices. A family without endpoints keeps one empty slice.
 */
export function planSlices(service: Service, desired: DesiredEndpoints, existing: readonly EndpointSlice[], maxEndpoints: number): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], delete: [] }
  const byGroup = new Map<string, EndpointSlice[]>()
  const types = addressTypes(service)
  for (const slice of existing) {
    if (!(types as string[]).includes(slice.addressType)) {
      plan.delete.push(slice)
      continue
    }
    const key = groupKey(slice.addressType, slice.ports ?? [])
    byGroup.set(key, [...(byGroup.get(key) ?? []), slice])
  }
  const groups = new Map(desired.groups)
  for (const addressType of types) {
    const has = [...groups.values()].some((group) => group.addressType === addressType)
    // The placeholder: consumers see that the controller has been here, and that there is nothing.
    if (!has) groups.set(groupKey(addressType, []), { addressType, ports: [], endpoints: [] })
  }
  for (const [key, slices] of byGroup) if (!groups.has(key)) plan.delete.push(...slices)
  for (const [key, group] of groups) planGroup(service, group, byGroup.get(key) ?? [], maxEndpoints, plan)
  return reuseNames(plan)
}

/** A slice that would be deleted takes what a new one of its family would hold: watchers see one change instead of two. */
function reuseNames(plan: SlicePlan): SlicePlan {
  const create: EndpointSlice[] = []
  for (const slice of plan.create) {
    const at = plan.delete.findIndex((doomed) => doomed.addressType === slice.addressType)
    const [doomed] = at < 0 ? [] : plan.delete.splice(at, 1)
    if (doomed === undefined) create.push(slice)
    else plan.update.push({ ...slice, metadata: { ...doomed.metadata, labels: slice.metadata.labels, ownerReferences: slice.metadata.ownerReferences } })
  }
  return { ...plan, create }
}

interface Draft {
  slice: EndpointSlice
  endpoints: Endpoint[]
  changed: boolean
}

function planGroup(service: Service, group: EndpointGroup, slices: readonly EndpointSlice[], maxEndpoints: number, plan: SlicePlan): void {
  const wanted = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]))
  const metadata = sliceMetadata(service)
  const drafts: Draft[] = slices.map((slice) => {
    const kept: Endpoint[] = []
    let changed = !sameMetadata(slice, metadata)
    for (const endpoint of slice.endpoints ?? []) {
      const id = identity(endpoint)
      const now = wanted.get(id)
      if (now === undefined || kept.length >= maxEndpoints) {
        changed = true
        continue
      }
      wanted.delete(id)
      kept.push(now)
      if (canonicalJson(now) !== canonicalJson(endpoint)) changed = true
    }
    return { slice, endpoints: kept, changed }
  })
  const left = [...wanted.values()]
  const room = (draft: Draft): number => maxEndpoints - draft.endpoints.length
  const fill = (draft: Draft): void => {
    draft.endpoints.push(...left.splice(0, room(draft)))
    draft.changed = true
  }
  for (const draft of drafts.filter((d) => d.changed).toSorted((a, b) => room(a) - room(b))) if (left.length > 0 && room(draft) > 0) fill(draft)
  const fitting = drafts.filter((draft) => left.length > 0 && room(draft) >= left.length).toSorted((a, b) => room(a) - room(b))[0]
  if (fitting !== undefined) fill(fitting)
  const created: EndpointSlice[] = []
  while (left.length > 0) created.push(newSlice(service, group, left.splice(0, maxEndpoints)))

  // Slices that became empty go, but one slice stays where it is all the family has.
  const placeholder = group.endpoints.length === 0
  let kept = 0
  for (const draft of drafts) {
    if (draft.endpoints.length === 0 && !(placeholder && kept === 0)) {
      plan.delete.push(draft.slice)
      continue
    }
    kept += 1
    if (draft.changed) plan.update.push({ ...draft.slice, metadata: { ...draft.slice.metadata, ...metadata }, ports: group.ports, endpoints: draft.endpoints })
  }
  if (placeholder && kept === 0) created.push(newSlice(service, group, []))
  plan.create.push(...created)
}

/** What makes two endpoints the same one: its pod and its addresses. */
function identity(endpoint: Endpoint): string {
  return `${endpoint.targetRef?.uid ?? ''} ${endpoint.targetRef?.namespace ?? ''}/${endpoint.targetRef?.name ?? ''} ${endpoint.addresses.join(',')}`
}

function newSlice(service: Service, group: EndpointGroup, endpoints: Endpoint[]): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: '', generateName: `${service.metadata.name}-`, namespace: service.metadata.namespace, ...sliceMetadata(service) },
    addressType: group.addressType,
    endpoints,
    ports: group.ports,
  }
}

function sliceMetadata(service: Service): { labels: Record<string, string>; ownerReferences: NonNullable<Service['metadata']['ownerReferences']> } {
  const labels = Object.fromEntries(Object.entries(service.metadata.labels ?? {}).filter(([key]) => !reserved.has(key)))
  labels[serviceNameLabel] = service.metadata.name
  labels[managedByLabel] = managedBy
  if (!hasClusterIp(service)) labels[headlessLabel] = ''
  return { labels, ownerReferences: [controllerReference(service, core.services)] }
}

function hasClusterIp(service: Service): boolean {
  const ip = service.spec.clusterIP ?? ''
  return ip !== '' && ip !== 'None'
}

function sameMetadata(slice: EndpointSlice, metadata: ReturnType<typeof sliceMetadata>): boolean {
  return canonicalJson(slice.metadata.labels ?? {}) === canonicalJson(metadata.labels) && canonicalJson(slice.metadata.ownerReferences ?? []) === canonicalJson(metadata.ownerReferences)
}
