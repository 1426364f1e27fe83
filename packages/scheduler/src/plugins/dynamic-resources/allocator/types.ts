import type { Node } from '@berth/api/types/core/v1'
import type { AllocationResult, Device, DeviceClass, DeviceSubRequest, ExactDeviceRequest, ResourceClaim, ResourceSlice } from '@berth/api/types/resource/v1'
import type { Quantity } from '@berth/kube'

/** What of device allocation is on, by 1.36's gates. */
export interface AllocatorFeatures {
  readonly adminAccess: boolean
  readonly prioritizedList: boolean
  readonly partitionableDevices: boolean
  readonly deviceTaints: boolean
  readonly bindingConditions: boolean
  readonly consumableCapacity: boolean
}

/** `driver/pool/device`: each of the three is a name without slashes but the pool, so the text is unique by driver and device too. */
export type DeviceId = string

export function deviceId(driver: string, pool: string, device: string): DeviceId {
  return `${driver}/${pool}/${device}`
}

/** Amounts of a device's capacities in use, by capacity. */
export type ConsumedCapacity = ReadonlyMap<string, Quantity>

/** What claims have already. */
export interface AllocatedState {
  /** Devices that somebody has alone. */
  readonly devices: ReadonlySet<DeviceId>
  /** Devices that are shared, and how much of them is taken. */
  readonly shared: ReadonlyMap<DeviceId, ConsumedCapacity>
}

/** The outcome of a selector for a device. Throws the error of a selector that does not compile or fails. */
export type SelectorTest = (expression: string, device: Device, driver: string) => boolean

/** Everything an allocation reads. */
export interface AllocationInput {
  readonly features: AllocatorFeatures
  readonly allocated: AllocatedState
  readonly slices: SlicesByNode
  deviceClass(name: string): DeviceClass | undefined
  readonly selects: SelectorTest
  newShareId(): string
  /** Throws where the time is up. Called at each step of the search. */
  checkTime(): void
}

export interface SlicesByNode {
  readonly all: readonly ResourceSlice[]
  /** Those that can matter to a node. */
  forNode(name: string): readonly ResourceSlice[]
}

/** Slices sorted by the node that they are of, so that a node looks at its own and at the shared ones. */
export function slicesByNode(all: readonly ResourceSlice[]): SlicesByNode {
  const own = new Map<string, ResourceSlice[]>()
  const shared: ResourceSlice[] = []
  for (const slice of all) {
    const { nodeName = '', sharedCounters = [] } = slice.spec
    const list = nodeName === '' || sharedCounters.length > 0 ? shared : own.get(nodeName) ?? []
    if (list !== shared) own.set(nodeName, list)
    list.push(slice)
  }
  return { all, forNode: (name) => [...own.get(name) ?? [], ...shared] }
}

/** A request, or one of its alternatives, in one form. */
export interface RequestView {
  readonly name: string
  /** The request that it is an alternative of. */
  readonly parent?: string
  readonly body: ExactDeviceRequest | DeviceSubRequest
  readonly adminAccess: boolean
}

/** The request's name in results: `gpu`, or `gpu/small` for an alternative. */
export function resultName({ name, parent }: RequestView): string {
  return parent === undefined ? name : `${parent}/${name}`
}

/** A claim cannot be allocated, whatever the node: scheduling of the pod stops with this error. */
export class AllocationError extends Error {
  override readonly name = 'AllocationError'
}

/** Allocation failed on this node alone. */
export class NodeAllocationError extends Error {
  override readonly name = 'NodeAllocationError'
}

export function claimKey({ metadata }: ResourceClaim): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

/** Allocates claims on a node: results in their order, or undefined where the node does not have what they need. */
export type Allocate = (node: Node, claims: readonly ResourceClaim[]) => AllocationResult[] | undefined

/** How many devices one claim can have. */
export const maxResults = 32
