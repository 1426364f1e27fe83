import type { Device, DeviceClass, DeviceRequest, DeviceTaint, DeviceToleration, ResourceClaim, ResourceSlice } from '@berth/api/types/resource/v1'
import type { Pool } from './pools.ts'
import { AllocationError, claimKey, type AllocationInput, type RequestView } from './types.ts'

/** A device that a search may pick. */
export interface Candidate {
  readonly device: Device
  readonly slice: ResourceSlice
  readonly pool: Pool
}

/** A request (or one alternative of it) and how many devices it takes. */
export interface PlannedRequest {
  readonly view: RequestView
  readonly class: DeviceClass
  readonly count: number
  /** For allocation mode All: exactly these. */
  readonly all?: readonly Candidate[]
}

/** A request's alternatives in order of preference; one for a request that has none. */
export function viewsOf(request: DeviceRequest): RequestView[] {
  const { name, exactly, firstAvailable = [] } = request
  if (firstAvailable.length > 0) return firstAvailable.map((body) => ({ name: body.name, parent: name, body, adminAccess: false }))
  return exactly === undefined ? [] : [{ name, body: exactly, adminAccess: exactly.adminAccess === true }]
}

/** Refuses a claim that uses what is off. Throws {@link AllocationError}. */
export function checkRequest(claim: ResourceClaim, request: DeviceRequest, { features }: AllocationInput): void {
  const { firstAvailable = [] } = request
  if (firstAvailable.length > 0 && !features.prioritizedList) {
    throw new AllocationError(`claim ${claimKey(claim)}, request ${request.name}: has subrequests, but the DRAPrioritizedList feature is disabled`)
  }
  if (!features.consumableCapacity) {
    if (request.exactly?.capacity !== undefined) {
      throw new AllocationError(`claim ${claimKey(claim)}, request ${request.name}: has capacity requests, but the DRAConsumableCapacity feature is disabled`)
    }
    const sub = firstAvailable.find(({ capacity }) => capacity !== undefined)
    if (sub) throw new AllocationError(`claim ${claimKey(claim)}, subrequest ${sub.name}: has capacity requests, but the DRAConsumableCapacity feature is disabled`)
  }
}

/** Finds a request's class and how many devices it takes. Throws {@link AllocationError} where it cannot be allocated at all. */
export function planRequest(claim: ResourceClaim, view: RequestView, input: AllocationInput, pools: readonly Pool[], usable: (candidate: Candidate, planned: PlannedRequest) => boolean): PlannedRequest {
  const about = `claim ${claimKey(claim)}, request ${view.name}`
  const { body } = view
  for (const [index, { cel }] of (body.selectors ?? []).entries()) {
    if (cel === undefined) throw new AllocationError(`${about}, selector #${index}: CEL expression empty (unsupported selector type?)`)
  }
  if (!input.features.adminAccess && 'adminAccess' in body && body.adminAccess !== undefined) throw new AllocationError(`${about}: admin access is requested, but the feature is disabled`)
  if (body.deviceClassName === '') throw new AllocationError(`${about}: missing device class name (unsupported request type?)`)
  const deviceClass = input.deviceClass(body.deviceClassName)
  if (deviceClass === undefined) throw new AllocationError(`${about}: could not retrieve device class ${body.deviceClassName}: deviceclass.resource.k8s.io "${body.deviceClassName}" not found`)
  const mode = body.allocationMode ?? 'ExactCount'
  if (mode === 'ExactCount') return { view, class: deviceClass, count: body.count ?? 1 }
  if (mode !== 'All') throw new AllocationError(`${about}: unsupported count mode ${mode}`)
  const planned: PlannedRequest = { view, class: deviceClass, count: 0 }
  const all = pools.flatMap((pool) => {
    const id = `${pool.driver}/${pool.name}`
    if (pool.state === 'incomplete') throw new AllocationError(`${about}: asks for all devices, but resource pool ${id} is currently being updated`)
    if (pool.state === 'invalid') throw new AllocationError(`${about}: asks for all devices, but resource pool ${id} is currently invalid`)
    return pool.slices.flatMap((slice) => (slice.spec.devices ?? []).map((device) => ({ device, slice, pool })).filter((candidate) => usable(candidate, planned)))
  })
  return { ...planned, count: all.length, all }
}

/** Whether a toleration lets a device be used in spite of a taint. */
export function toleratesDeviceTaint(toleration: DeviceToleration, taint: DeviceTaint): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false
  const operator = toleration.operator ?? ''
  if (operator === '' || operator === 'Equal') return (toleration.value ?? '') === (taint.value ?? '')
  return operator === 'Exists'
}

/** Whether a taint keeps a request from a device. Effects that are not known keep nobody away. */
export function taintPrevents(device: Device, { body }: RequestView): boolean {
  return (device.taints ?? []).some((taint) =>
    (taint.effect === 'NoExecute' || taint.effect === 'NoSchedule') && !(body.tolerations ?? []).some((toleration) => toleratesDeviceTaint(toleration, taint)))
}
