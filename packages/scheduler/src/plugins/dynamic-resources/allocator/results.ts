import type { NodeSelector, NodeSelectorRequirement } from '@berth/api/types/core/v1'
import type { AllocationResult, DeviceAllocationConfiguration, DeviceRequestAllocationResult, ResourceClaim } from '@berth/api/types/resource/v1'
import { formatConsumed } from './capacity.ts'
import type { Candidate, PlannedRequest } from './requests.ts'
import { resultName, type AllocatorFeatures, type ConsumedCapacity } from './types.ts'

/** A device that a search decided for. */
export interface Pick {
  readonly plan: PlannedRequest
  readonly candidate: Candidate
  readonly consumed?: ConsumedCapacity
  readonly shareId?: string
}

/** What is written into a claim's status. `plans` are its requests with the alternative that was chosen. */
export function resultOf(claim: ResourceClaim, plans: readonly PlannedRequest[], picks: readonly Pick[], nodeName: string, features: AllocatorFeatures): AllocationResult {
  const config = configOf(claim, plans)
  const nodeSelector = selectorOf(picks, nodeName)
  return {
    devices: { results: picks.map((pick) => deviceResult(pick, features)), ...(config.length === 0 ? {} : { config }) },
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
  }
}

function deviceResult({ plan: { view }, candidate: { device, pool }, consumed, shareId }: Pick, features: AllocatorFeatures): DeviceRequestAllocationResult {
  const { bindingConditions, bindingFailureConditions } = device
  return {
    request: resultName(view), driver: pool.driver, pool: pool.name, device: device.name,
    ...(view.adminAccess ? { adminAccess: true } : {}),
    ...(view.body.tolerations === undefined ? {} : { tolerations: view.body.tolerations }),
    ...(features.bindingConditions && bindingConditions !== undefined ? { bindingConditions } : {}),
    ...(features.bindingConditions && bindingFailureConditions !== undefined ? { bindingFailureConditions } : {}),
    ...(shareId === undefined ? {} : { shareID: shareId }),
    ...(consumed === undefined || consumed.size === 0 ? {} : { consumedCapacity: formatConsumed(consumed) }),
  }
}

// Classes first, each once with all the requests that use it; then what the claim says itself.
function configOf(claim: ResourceClaim, plans: readonly PlannedRequest[]): DeviceAllocationConfiguration[] {
  const byClass = new Map<string, DeviceAllocationConfiguration[]>()
  for (const { class: deviceClass, view } of plans) {
    const known = byClass.get(deviceClass.metadata.name)
    if (known) for (const config of known) config.requests = [...config.requests ?? [], resultName(view)]
    else byClass.set(deviceClass.metadata.name, (deviceClass.spec.config ?? []).map(({ opaque }) => ({ source: 'FromClass', requests: [resultName(view)], ...(opaque === undefined ? {} : { opaque }) })))
  }
  const names = new Set(plans.flatMap(({ view }) => [resultName(view), view.parent ?? view.name]))
  const own = (claim.spec.devices?.config ?? []).filter(({ requests = [] }) => requests.length === 0 || requests.some((request) => names.has(request)))
  return [...byClass.values()].flat().concat(own.map(({ requests, opaque }) => ({ source: 'FromClaim', ...(requests === undefined ? {} : { requests }), ...(opaque === undefined ? {} : { opaque }) })))
}

// Where the allocation can be used: on this node alone if any device is local to it, else where all selectors agree.
function selectorOf(picks: readonly Pick[], nodeName: string): NodeSelector | undefined {
  const matchFields: NodeSelectorRequirement[] = []
  const matchExpressions: NodeSelectorRequirement[] = []
  for (const { candidate: { device, slice } } of picks) {
    const place = slice.spec.perDeviceNodeSelection === true ? device : slice.spec
    if (place.nodeName !== undefined || device.bindsToNode === true) {
      return { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }] }
    }
    for (const term of place.nodeSelector?.nodeSelectorTerms.slice(0, 1) ?? []) {
      addNew(matchFields, term.matchFields ?? [])
      addNew(matchExpressions, term.matchExpressions ?? [])
    }
  }
  if (matchFields.length === 0 && matchExpressions.length === 0) return undefined
  return { nodeSelectorTerms: [{ ...(matchFields.length === 0 ? {} : { matchFields }), ...(matchExpressions.length === 0 ? {} : { matchExpressions }) }] }
}

function addNew(to: NodeSelectorRequirement[], from: readonly NodeSelectorRequirement[]): void {
  const text = ({ key, operator, values = [] }: NodeSelectorRequirement): string => JSON.stringify([key, operator, [...values].sort()])
  const known = new Set(to.map(text))
  for (const requirement of from) if (!known.has(text(requirement))) to.push(requirement)
}
