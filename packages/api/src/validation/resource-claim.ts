import type { AllocatedDeviceStatus, AllocationResult, DeviceAllocationConfiguration, DeviceRequestAllocationResult, NetworkDeviceData, ResourceClaim, ResourceClaimTemplate } from '../types/resource/v1.ts'
import { checkRequired, sameValue, textOf } from './common.ts'
import { checkConditions } from './conditions.ts'
import { checkDriverName } from './csi-names.ts'
import { forbidden, invalid, notSupported, required, tooLong, tooMany } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { checkInterfaceAddress } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkAnnotations, checkLabels, checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkNodeSelector } from './pod/scheduling.ts'
import { checkBindingConditions } from './resource-api/bindings.ts'
import { checkList, checkSet } from './resource-api/lists.ts'
import { checkLabelLikeName, checkPoolName } from './resource-api/names.ts'
import { checkConfiguration, checkDeviceClaim, checkRaw, checkRequestRef, checkRequestRefs, configLimit, requestNames } from './resource-api/requests.ts'
import type { RequestNames } from './resource-api/requests.ts'

const reservedForLimit = 256
const resultsLimit = 32
const statusConditionsLimit = 8
const statusDataLength = 10 * 1024
const addressesLimit = 16

function checkShareId(id: string | undefined, field: string): FieldError[] {
  if (id === undefined) return []
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
  if (form.test(id)) return []
  if (form.test(id.toLowerCase())) return [invalid(field, id, 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters')]
  return [invalid(field, id, `error validating uid: ${[36, 38, 45, 32].includes(id.length) ? 'invalid UUID format' : `invalid UUID length: ${id.length}`}`)]
}

function checkResult(result: DeviceRequestAllocationResult, at: string, names: RequestNames): FieldError[] {
  return [
    ...checkRequestRef(`${at}.request`, textOf(result.request), names),
    ...checkDriverName(`${at}.driver`, result.driver),
    ...checkPoolName(`${at}.pool`, result.pool),
    ...checkLabelLikeName(`${at}.device`, result.device),
    ...checkBindingConditions(result.bindingConditions, result.bindingFailureConditions, at),
    ...checkShareId(result.shareID, `${at}.shareID`),
  ]
}

function checkAllocatedConfig(config: DeviceAllocationConfiguration, at: string, names: RequestNames): FieldError[] {
  const source = textOf(config.source)
  return [
    ...(source === '' ? [required(`${at}.source`)] : source === 'FromClaim' || source === 'FromClass' ? [] : [notSupported(`${at}.source`, source, ['FromClaim', 'FromClass'])]),
    ...checkRequestRefs(config.requests, `${at}.requests`, names),
    ...checkConfiguration(config, at),
  ]
}

function checkAllocation(allocation: AllocationResult, at: string, names: RequestNames): FieldError[] {
  return [
    ...checkList(`${at}.devices.results`, allocation.devices?.results, resultsLimit, (result, field) => checkResult(result, field, names)),
    ...checkList(`${at}.devices.config`, allocation.devices?.config, 2 * configLimit, (config, field) => checkAllocatedConfig(config, field, names)),
    ...(allocation.nodeSelector ? checkNodeSelector(allocation.nodeSelector, `${at}.nodeSelector`) : []),
  ]
}

/** `driver/pool/device`, and the share of it where several hold it. */
export const allocatedDeviceId = ({ driver, pool, device, shareID }: Pick<AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>): string =>
  `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`

function checkDeviceStatus(device: AllocatedDeviceStatus, at: string, allocated: ReadonlySet<string>): FieldError[] {
  const id = allocatedDeviceId(device)
  const conditions = device.conditions ?? []
  return [
    ...checkDriverName(`${at}.driver`, device.driver),
    ...checkPoolName(`${at}.pool`, device.pool),
    ...checkLabelLikeName(`${at}.device`, device.device),
    ...checkShareId(device.shareID, `${at}.shareID`),
    ...(allocated.has(id) ? [] : [invalid(at, id, 'must be an allocated device in the claim')]),
    ...(conditions.length > statusConditionsLimit ? [tooMany(`${at}.conditions`, conditions.length, statusConditionsLimit)] : []),
    ...checkConditions(conditions, `${at}.conditions`),
    ...(device.data === undefined ? [] : checkRaw(device.data, `${at}.data`, statusDataLength)),
    ...checkNetworkData(device.networkData, `${at}.networkData`),
  ]
}

function checkNetworkData(data: NetworkDeviceData | undefined, at: string): FieldError[] {
  const long = (field: 'interfaceName' | 'hardwareAddress', limit: number): FieldError[] => (Buffer.byteLength(textOf(data?.[field])) > limit ? [tooLong(`${at}.${field}`, limit)] : [])
  return [
    ...long('interfaceName', 256), ...long('hardwareAddress', 128),
    ...checkSet(`${at}.ips`, data?.ips, addressesLimit, (address, field) => checkInterfaceAddress(field, address), (address) => address),
  ]
}

function checkStatus({ metadata, spec, status = {} }: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { allocation, reservedFor = [], devices } = status
  const allocated = new Set((allocation?.devices?.results ?? []).map(allocatedDeviceId))
  const errors = [
    ...checkSet('status.reservedFor', reservedFor, reservedForLimit,
      (consumer, at) => (['resource', 'name', 'uid'] as const).flatMap((field) => checkRequired(`${at}.${field}`, consumer[field])), ({ uid }) => textOf(uid)),
    ...checkSet('status.devices', devices, -1, (device, at) => checkDeviceStatus(device, at, allocated), allocatedDeviceId),
  ]
  if (reservedFor.length > 0) {
    const added = reservedFor.some((consumer) => !old.status?.reservedFor?.some((before) => sameValue(consumer, before)))
    if (!allocation) errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'))
    else if (metadata.deletionTimestamp !== undefined && added) {
      errors.push(forbidden('status.reservedFor', 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'))
    }
  }
  const before = old.status?.allocation
  if (allocation && before) return sameValue(allocation, before) ? errors : [...errors, invalid('status.allocation', allocation, 'field is immutable')]
  return allocation ? [...errors, ...checkAllocation(allocation, 'status.allocation', requestNames(spec.devices))] : errors
}

export const resourceClaimValidation: KindValidation<ResourceClaim> = {
  namespaced: true,
  create: (claim) => [...checkMeta(claim.metadata, true, nameIsDnsSubdomain), ...checkDeviceClaim(claim.spec.devices, 'spec.devices')],
  update(claim, old, subresource) {
    if (subresource === 'status') return [...checkMetaUpdate(claim.metadata, old.metadata), ...checkStatus(claim, old)]
    return [
      ...checkMeta(claim.metadata, true, nameIsDnsSubdomain),
      ...checkMetaUpdate(claim.metadata, old.metadata),
      ...(sameValue(claim.spec, old.spec) ? [] : [invalid('spec', claim.spec, 'field is immutable')]),
    ]
  },
}

export const resourceClaimTemplateValidation: KindValidation<ResourceClaimTemplate> = {
  namespaced: true,
  create(template) {
    const { annotations, labels, ...others } = template.spec.metadata ?? {}
    const at = 'spec.metadata'
    return [
      ...checkMeta(template.metadata, true, nameIsDnsSubdomain),
      ...checkAnnotations(`${at}.annotations`, annotations),
      ...checkLabels(`${at}.labels`, labels),
      ...Object.entries(others).filter(([, value]) => value !== undefined && value !== '').map(([name]) => forbidden(`${at}.${name}`, 'cannot be set')),
      ...checkDeviceClaim(template.spec.spec?.devices, 'spec.spec.devices'),
    ]
  },
  update: (template, old) => [
    ...checkMetaUpdate(template.metadata, old.metadata),
    ...(sameValue(template.spec, old.spec) ? [] : [invalid('spec', template.spec, 'field is immutable')]),
  ],
}
