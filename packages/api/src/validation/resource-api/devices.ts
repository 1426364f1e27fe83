import type { CounterSet, Device, DeviceAttribute, DeviceCounterConsumption, DeviceTaint, NodeAllocatableResourceMapping, ResourceSliceSpec } from '../../types/resource/v1.ts'
import { checkFormat, checkRequiredFormat, quantity, sameValue, textOf } from '../common.ts'
import { invalid, notFound, notSupported, required, tooLong, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain, labelValueFormat } from '../formats.ts'
import { checkLabelName } from '../object-meta.ts'
import { checkNodeSelector } from '../pod/scheduling.ts'
import { checkBindingConditions } from './bindings.ts'
import { checkCapacity } from './capacity.ts'
import { checkList, checkSet } from './lists.ts'
import { checkLabelLikeName, checkQualifiedName } from './names.ts'
import { taintEffects } from './requests.ts'

const attributesLimit = 32
const attributeValuesLimit = 48
const valueLength = 64
const taintsLimit = 16
const consumptionsLimit = 2
const countersLimit = 32

/** A device of a slice; `old` is what the slice had by this name. */
export function checkDevice(device: Device, at: string, slice: ResourceSliceSpec, old: Device | undefined): FieldError[] {
  const attributes = Object.entries(device.attributes ?? {})
  const capacities = Object.entries(device.capacity ?? {})
  const number = attributes.length + capacities.length
  const values = attributes.reduce((sum, [, { bools = [], ints = [], strings = [], versions = [] }]) => sum + Math.max(1, bools.length + ints.length + strings.length + versions.length), 0)
  return [
    ...checkLabelLikeName(`${at}.name`, device.name),
    ...(number > attributesLimit ? [invalid(at, number, `the total number of attributes and capacities must not exceed ${attributesLimit}`)] : []),
    ...(values > attributeValuesLimit ? [invalid(at, values, `the total number of attribute values must not exceed ${attributeValuesLimit}`)] : []),
    ...attributes.flatMap(([name, attribute]) => [...checkQualifiedName(`${at}.attributes`, name), ...checkAttribute(attribute, `${at}.attributes[${name}]`)]),
    ...capacities.flatMap(([name, capacity]) => [...checkQualifiedName(`${at}.capacity`, name), ...checkCapacity(capacity, `${at}.capacity[${name}]`, device.allowMultipleAllocations === true)]),
    ...(old && sameValue(old.taints, device.taints) ? [] : checkList(`${at}.taints`, device.taints, taintsLimit, checkTaint)),
    ...checkSet(`${at}.consumesCounters`, device.consumesCounters, consumptionsLimit, checkConsumption, ({ counterSet }) => textOf(counterSet)),
    ...checkPlace(device, at, slice.perDeviceNodeSelection === true),
    ...checkBindingConditions(device.bindingConditions, device.bindingFailureConditions, at),
    ...Object.entries(device.nodeAllocatableResourceMappings ?? {}).flatMap(([name, mapping]) => checkMapping(name, mapping, device, `${at}.nodeAllocatableResourceMappings[${name}]`)),
  ]
}

const semver = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

const checkText = (field: string, value: string): FieldError[] => (Buffer.byteLength(value) > valueLength ? [tooLong(field, valueLength)] : [])
const checkVersion = (field: string, value: string): FieldError[] => [
  ...(semver.test(value) ? [] : [invalid(field, value, 'must be a string compatible with semver.org spec 2.0.0')]), ...checkText(field, value),
]

function checkAttribute(attribute: DeviceAttribute, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (attribute.string !== undefined) errors.push(...checkText(`${at}.string`, attribute.string))
  if (attribute.version !== undefined) errors.push(...checkVersion(`${at}.version`, attribute.version))
  for (const name of ['bools', 'ints', 'strings', 'versions'] as const) if (attribute[name]?.length === 0) errors.push(invalid(`${at}.${name}`, [], 'must not be empty if specified'))
  attribute.strings?.forEach((value, i) => errors.push(...checkText(`${at}.strings[${i}]`, value)))
  attribute.versions?.forEach((value, i) => errors.push(...checkVersion(`${at}.versions[${i}]`, value)))
  const given = Object.values(attribute).filter((value) => value !== undefined).length
  if (given !== 1) errors.push(invalid(at, given === 0 ? '' : attribute, 'exactly one value must be specified'))
  return errors
}

function checkTaint({ key = '', value = '', effect }: Partial<DeviceTaint>, at: string): FieldError[] {
  return [
    ...checkLabelName(`${at}.key`, key),
    ...(value === '' ? [] : checkFormat(`${at}.value`, value, labelValueFormat)),
    ...(textOf(effect) === '' ? [required(`${at}.effect`)] : taintEffects.includes(textOf(effect)) ? [] : [notSupported(`${at}.effect`, effect, taintEffects)]),
  ]
}

function checkConsumption({ counterSet, counters }: DeviceCounterConsumption, at: string): FieldError[] {
  return [...checkRequiredFormat(`${at}.counterSet`, counterSet, dns1123Label), ...checkCounters(counters, `${at}.counters`)]
}

function checkCounters(counters: CounterSet['counters'], at: string): FieldError[] {
  const names = Object.keys(counters ?? {})
  if (names.length === 0) return [required(at)]
  return names.length > countersLimit ? [tooMany(at, names.length, countersLimit)] : names.flatMap((name) => checkLabelLikeName(at, name))
}

/** Counters that devices of a pool share. */
export function checkCounterSet({ name, counters }: CounterSet, at: string): FieldError[] {
  return [...checkRequiredFormat(`${at}.name`, name, dns1123Label), ...checkCounters(counters, `${at}.counters`)]
}

/** Where a device is, if each device of the slice says so itself. */
function checkPlace({ nodeName, nodeSelector, allNodes }: Device, at: string, perDevice: boolean): FieldError[] {
  if (!perDevice) {
    const said = nodeName !== undefined || nodeSelector !== undefined || allNodes !== undefined
    return said ? [invalid(at, null, '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec')] : []
  }
  const errors: FieldError[] = []
  const set: string[] = []
  if (nodeName === '') errors.push(invalid(`${at}.nodeName`, nodeName, 'must not be empty'))
  else if (nodeName !== undefined) {
    set.push('`nodeName`')
    errors.push(...checkFormat(`${at}.nodeName`, nodeName, dns1123Subdomain))
  }
  if (nodeSelector) {
    set.push('`nodeSelector`')
    errors.push(...checkNodeSelector(nodeSelector, `${at}.nodeSelector`))
  }
  if (allNodes === true) set.push('`allNodes`')
  else if (allNodes === false) errors.push(invalid(`${at}.allNodes`, allNodes, 'must be either unset or set to true'))
  const one = 'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (set.length === 0) errors.push(required(at, one))
  else if (set.length > 1) errors.push(invalid(at, `{${set.join(', ')}}`, one))
  return errors
}

function checkMapping(name: string, { allocationMultiplier, capacityKey }: NodeAllocatableResourceMapping, device: Device, at: string): FieldError[] {
  const errors = !name.includes('/') || name.startsWith('kubernetes.io/') ? [] : [invalid(at, name, 'must be a node allocatable resource name')]
  if (allocationMultiplier === undefined && capacityKey === undefined) return [...errors, invalid(at, '', 'at least one of allocationMultiplier or capacityKey must be set')]
  if (allocationMultiplier !== undefined && quantity(allocationMultiplier).sign() <= 0) errors.push(invalid(`${at}.allocationMultiplier`, allocationMultiplier, 'must be positive'))
  if (capacityKey === '') errors.push(invalid(`${at}.capacityKey`, '', 'capacityKey must not be an empty string'))
  else if (capacityKey !== undefined && device.capacity?.[capacityKey] === undefined) errors.push(notFound(`${at}.capacityKey`, capacityKey))
  return errors
}
