// resource.k8s.io: what devices there are, what is asked for, what was given.
import { resource as resourceGroup } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, formatTime, stringAt, valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

const recordsAt = (object: ApiObject, ...path: string[]): Record<string, unknown>[] => {
  const found = valueAt(object, ...path)
  return Array.isArray(found) ? found.map((item) => asRecord(item) ?? {}) : []
}
const idOf = (device: Record<string, unknown>): string => JSON.stringify(['driver', 'pool', 'device', 'shareID'].map((field) => device[field] ?? ''))

/** What drivers reported of devices goes when the devices are given back. */
function dropDeallocated(object: ApiObject, old: ApiObject): void {
  const status = asRecord(object['status'])
  if (!status || !Array.isArray(status['devices'])) return
  const kept = new Set(recordsAt(object, 'status', 'allocation', 'devices', 'results').map(idOf))
  const gone = new Set(recordsAt(old, 'status', 'allocation', 'devices', 'results').map(idOf).filter((id) => !kept.has(id)))
  const devices = status['devices'].filter((device) => !gone.has(idOf(asRecord(device) ?? {})))
  if (devices.length === 0) delete status['devices']
  else status['devices'] = devices
}

export const resourceclaims: ResourceDefinition = {
  resource: resourceGroup.resourceclaims,
  storagePrefix: 'resourceclaims',
  returnsDeletedObject: true,
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
  },
  prepareForUpdate: keepStatus,
  subresources: { status: statusSubresource({ keepMeta: true, adjust: dropDeallocated }) },
}

export const resourceclaimtemplates: ResourceDefinition = { resource: resourceGroup.resourceclaimtemplates, storagePrefix: 'resourceclaimtemplates', returnsDeletedObject: true }

export const deviceclasses: ResourceDefinition = {
  resource: resourceGroup.deviceclasses,
  storagePrefix: 'deviceclasses',
  returnsDeletedObject: true,
  prepareForCreate: (object) => bumpGeneration(object, true),
  prepareForUpdate: bumpOnSpecChange,
}

/** Lists of values and mappings to the node's own resources are alpha; a taint has a time. */
function settleDevices(object: ApiObject, old: ApiObject | undefined): void {
  const before = recordsAt(old ?? object, 'spec', 'devices')
  const listsInUse = old !== undefined && before.some((device) => attributesOf(device).some((attribute) => ['bools', 'ints', 'strings', 'versions'].some((field) => attribute[field] !== undefined)))
  const mappingsInUse = old !== undefined && before.some((device) => device['nodeAllocatableResourceMappings'] !== undefined)
  for (const device of recordsAt(object, 'spec', 'devices')) {
    if (!mappingsInUse) delete device['nodeAllocatableResourceMappings']
    if (!listsInUse) for (const attribute of attributesOf(device)) for (const field of ['bools', 'ints', 'strings', 'versions']) delete attribute[field]
    for (const taint of Array.isArray(device['taints']) ? device['taints'] as Record<string, unknown>[] : []) taint['timeAdded'] ??= formatTime(Date.now())
  }
}

function attributesOf(device: Record<string, unknown>): Record<string, unknown>[] {
  return Object.values(asRecord(device['attributes']) ?? {}).map((attribute) => asRecord(attribute) ?? {})
}

export const resourceslices: ResourceDefinition = {
  resource: resourceGroup.resourceslices,
  storagePrefix: 'resourceslices',
  returnsDeletedObject: true,
  prepareForCreate(object) {
    bumpGeneration(object, true)
    settleDevices(object, undefined)
  },
  prepareForUpdate(object, old) {
    bumpOnSpecChange(object, old)
    settleDevices(object, old)
  },
  fieldLabels: { 'spec.nodeName': (o) => stringAt(o, 'spec', 'nodeName'), 'spec.driver': (o) => stringAt(o, 'spec', 'driver') },
}
