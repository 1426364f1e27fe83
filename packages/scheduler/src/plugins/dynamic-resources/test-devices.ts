// Clusters with devices for the tables of DynamicResources, in few words.
import { resource } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { AllocationResult, Device, DeviceClass, DeviceRequest, ExactDeviceRequest, ResourceClaim, ResourceSlice, ResourceSliceSpec } from '@berth/api/types/resource/v1'
import { Cache } from '../../cache/cache.ts'
import { setObject } from '../volume-binding/test-storage.ts'

export interface DeviceCluster {
  readonly nodes?: readonly Node[]
  readonly pods?: readonly Pod[]
  readonly claims?: readonly ResourceClaim[]
  readonly slices?: readonly ResourceSlice[]
  readonly classes?: readonly DeviceClass[]
}

export const driver = 'gpu.example.com'

export function deviceCache(cluster: DeviceCluster): Cache {
  const cache = new Cache()
  for (const node of cluster.nodes ?? [node1]) cache.apply({ type: 'node-set', node })
  for (const pod of cluster.pods ?? []) cache.apply({ type: 'pod-set', pod })
  for (const claim of cluster.claims ?? []) setObject(cache, resource.resourceclaims, claim)
  for (const slice of cluster.slices ?? []) setObject(cache, resource.resourceslices, slice)
  for (const deviceClass of cluster.classes ?? [classOf('gpu')]) setObject(cache, resource.deviceclasses, deviceClass)
  return cache
}

export const nodeNamed = (name: string, labels: Record<string, string> = {}): Node => ({ metadata: { name, labels }, spec: {}, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '20' } } })
export const node1 = nodeNamed('n1')

export const cel = (expression: string): { cel: { expression: string } } => ({ cel: { expression } })

export const classOf = (name: string, ...expressions: string[]): DeviceClass => ({ metadata: { name }, spec: { selectors: (expressions.length === 0 ? [`device.driver == "${driver}"`] : expressions).map(cel) } })

/** Devices by name; or with what they are more. */
export const device = (name: string, more: Partial<Device> = {}): Device => ({ name, ...more })

export function sliceOf(name: string, devices: readonly (string | Device)[], more: Partial<ResourceSliceSpec> = {}): ResourceSlice {
  const place = more.allNodes === true || more.nodeSelector !== undefined || more.perDeviceNodeSelection === true ? {} : { nodeName: 'n1' }
  return {
    metadata: { name },
    spec: { driver, ...place, pool: { name: 'n1', generation: 1, resourceSliceCount: 1 }, devices: devices.map((entry) => typeof entry === 'string' ? device(entry) : entry), ...more },
  }
}

export const exactly = (name: string, more: Partial<ExactDeviceRequest> = {}): DeviceRequest => ({ name, exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', ...more } })

export function claimOf(name: string, requests: readonly DeviceRequest[] = [exactly('r')], more: { allocation?: AllocationResult; reservedFor?: string[]; constraints?: NonNullable<ResourceClaim['spec']['devices']>['constraints'] } = {}): ResourceClaim {
  const { allocation, reservedFor = [], constraints } = more
  return {
    metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: '1' },
    spec: { devices: { requests: [...requests], ...(constraints === undefined ? {} : { constraints }) } },
    status: { ...(allocation === undefined ? {} : { allocation }), ...(reservedFor.length === 0 ? {} : { reservedFor: reservedFor.map((pod) => ({ resource: 'pods', name: pod, uid: `uid-${pod}` })) }) },
  }
}

/** An allocation of devices of the pool n1. */
export const given = (...devices: string[]): AllocationResult => ({ devices: { results: devices.map((name) => ({ request: 'r', driver, pool: 'n1', device: name })) } })

export const podWith = (...claims: string[]): Pod => ({
  metadata: { name: 'p', namespace: 'ns', uid: 'uid-p' },
  spec: { containers: [{ name: 'c', image: 'x' }], resourceClaims: claims.map((name) => ({ name, resourceClaimName: name })) },
})
