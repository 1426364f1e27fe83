import type { ResourceSlice, ResourceSliceSpec } from '../types/resource/v1.ts'
import { checkFormat, checkImmutable } from './common.ts'
import { checkDriverName } from './csi-names.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkNodeSelector } from './pod/scheduling.ts'
import { checkCounterSet, checkDevice } from './resource-api/devices.ts'
import { checkSet } from './resource-api/lists.ts'
import { checkPoolName } from './resource-api/names.ts'

const devicesLimit = 128
/** Of devices with taints, counters or lists there may be fewer. */
const advancedDevicesLimit = 64
const counterSetsLimit = 8

function checkPool(pool: ResourceSliceSpec['pool'] | undefined): FieldError[] {
  const { resourceSliceCount = 0, generation = 0 } = pool ?? {}
  return [
    ...checkPoolName('spec.pool.name', pool?.name),
    ...(resourceSliceCount <= 0 ? [invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero')] : []),
    ...(generation < 0 ? [invalid('spec.pool.generation', generation, 'must be greater than or equal to zero')] : []),
  ]
}

function checkPlace({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: ResourceSliceSpec): FieldError[] {
  const errors: FieldError[] = []
  const set: string[] = []
  if (nodeName === '') errors.push(invalid('spec.nodeName', nodeName, 'must be either unset or set to a non-empty string'))
  else if (nodeName !== undefined) {
    set.push('`nodeName`')
    errors.push(...checkFormat('spec.nodeName', nodeName, dns1123Subdomain))
  }
  if (nodeSelector) {
    set.push('`nodeSelector`')
    errors.push(...checkNodeSelector(nodeSelector, 'spec.nodeSelector'))
    const terms = nodeSelector.nodeSelectorTerms ?? []
    if (terms.length !== 1) errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'))
  }
  for (const [field, value] of [['allNodes', allNodes], ['perDeviceNodeSelection', perDeviceNodeSelection]] as const) {
    if (value === true) set.push(`\`${field}\``)
    else if (value === false) errors.push(invalid(`spec.${field}`, value, 'must be either unset or set to true'))
  }
  const one = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (set.length === 0) errors.push(required('spec', one))
  else if (set.length > 1) errors.push(invalid('spec', `{${set.join(', ')}}`, `${one}, but multiple fields are set`))
  return errors
}

function checkSpec(spec: ResourceSliceSpec, old: ResourceSliceSpec | undefined): FieldError[] {
  const advanced = (spec.devices ?? []).some(({ taints, consumesCounters, attributes }) => Boolean(taints?.length) || Boolean(consumesCounters?.length)
    || Object.values(attributes ?? {}).some((attribute) => attribute.bools ?? attribute.ints ?? attribute.strings ?? attribute.versions))
  return [
    ...checkDriverName('spec.driver', spec.driver),
    ...checkPool(spec.pool),
    ...(old ? [
      ...checkImmutable('spec.pool.name', spec.pool?.name ?? '', old.pool?.name ?? ''), ...checkImmutable('spec.driver', spec.driver ?? '', old.driver ?? ''),
      ...checkImmutable('spec.nodeName', spec.nodeName ?? null, old.nodeName),
    ] : []),
    ...checkPlace(spec),
    ...(spec.sharedCounters && spec.devices ? [invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed')] : []),
    ...checkSet('spec.devices', spec.devices, advanced ? advancedDevicesLimit : devicesLimit, (device, at) => checkDevice(device, at, spec, old?.devices?.find(({ name }) => name === device.name)),
      ({ name }) => name ?? ''),
    ...checkSet('spec.sharedCounters', spec.sharedCounters, counterSetsLimit, checkCounterSet, ({ name }) => name ?? ''),
  ]
}

export const resourceSliceValidation: KindValidation<ResourceSlice> = {
  namespaced: false,
  create: (slice) => [...checkMeta(slice.metadata, false, nameIsDnsSubdomain), ...checkSpec(slice.spec, undefined)],
  update: (slice, old) => [...checkMetaUpdate(slice.metadata, old.metadata), ...checkSpec(slice.spec, old.spec)],
}
