import type { CSIDriver, CSINode, CSINodeDriver, CSIStorageCapacity, TokenRequest } from '../types/storage/v1.ts'
import { checkFormat, checkImmutable, checkNonNegative, checkOneOf, negativeMessage, quantity, sameValue, textOf } from './common.ts'
import { checkClassName, checkDriverName } from './csi-names.ts'
import { duplicate, invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelSelector } from './label-selector.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const nodeIdLength = 256

function checkNodeDriver(driver: CSINodeDriver, at: string, seen: Set<string>): FieldError[] {
  const { name = '', nodeID = '', allocatable } = driver
  // A list without omitempty: none is written as null.
  const topologyKeys = driver.topologyKeys ?? []
  const errors = [
    ...checkDriverName(`${at}.name`, name),
    ...(nodeID === '' ? [required(`${at}.nodeID`)] : []),
    ...(Buffer.byteLength(nodeID) > nodeIdLength ? [invalid(`${at}.nodeID`, nodeID, `must be ${nodeIdLength} characters or less`)] : []),
    ...checkNonNegative(`${at}.allocatable.count`, allocatable?.count),
    ...(seen.has(name) ? [duplicate(`${at}.name`, name)] : []),
  ]
  seen.add(name)
  topologyKeys.forEach((key, i) => {
    if (key === '') errors.push(required(at))
    if (topologyKeys.indexOf(key) < i) errors.push(duplicate(at, key))
    errors.push(...checkFormat(at, key, qualifiedName))
  })
  return errors
}

function checkCsiNode(node: CSINode): FieldError[] {
  const seen = new Set<string>()
  return [...checkMeta(node.metadata, false, nameIsDnsSubdomain), ...(node.spec?.drivers ?? []).flatMap((driver, i) => checkNodeDriver(driver, `spec.drivers[${i}]`, seen))]
}

export const csiNodeValidation: KindValidation<CSINode> = {
  namespaced: false,
  create: checkCsiNode,
  update: (node, old) => [
    ...checkCsiNode(node),
    ...(old.spec?.drivers ?? []).flatMap((before) => (node.spec?.drivers ?? []).filter((driver) => driver.name === before.name).flatMap((driver) => {
      const { allocatable: _now, ...now } = driver
      const { allocatable: _then, ...then } = before
      return sameValue(now, then) ? [] : [invalid('spec.drivers', toInternal('CSINodeDriver', now), 'field is immutable')]
    })),
  ],
}

function checkTokenRequests(requests: readonly TokenRequest[] | undefined): FieldError[] {
  const audiences = new Set<string>()
  return (requests ?? []).flatMap(({ audience = '', expirationSeconds: seconds }, i) => {
    const at = `spec.tokenRequests[${i}]`
    if (audiences.has(audience)) return [duplicate(`${at}.audience`, audience)]
    audiences.add(audience)
    if (seconds === undefined) return []
    if (seconds < 600) return [invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes')]
    return seconds > 2 ** 32 ? [invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds')] : []
  })
}

function checkDriverSpec({ spec }: CSIDriver): FieldError[] {
  const period = spec.nodeAllocatableUpdatePeriodSeconds
  const inSecrets = spec.serviceAccountTokenInSecrets
  return [
    ...(spec.attachRequired === undefined ? [required('spec.attachedRequired')] : []),
    ...(['podInfoOnMount', 'storageCapacity'] as const).filter((field) => spec[field] === undefined).map((field) => required(`spec.${field}`)),
    ...(spec.fsGroupPolicy === undefined ? [] : checkOneOf('spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'])),
    ...checkTokenRequests(spec.tokenRequests),
    ...(spec.volumeLifecycleModes ?? []).flatMap((mode) => checkOneOf('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral'])),
    ...(spec.seLinuxMount === undefined ? [required('spec.seLinuxMount')] : []),
    ...(period !== undefined && period < 10 ? [invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds')] : []),
    ...(inSecrets !== undefined && !spec.tokenRequests?.length
      ? [invalid('spec.serviceAccountTokenInSecrets', inSecrets, 'serviceAccountTokenInSecrets is set but no tokenRequests are specified')] : []),
  ]
}

export const csiDriverValidation: KindValidation<CSIDriver> = {
  namespaced: false,
  create: (driver) => [...checkMeta(driver.metadata, false, nameIsDnsSubdomain), ...checkDriverSpec(driver)],
  update: (driver, old) => [
    ...checkMetaUpdate(driver.metadata, old.metadata),
    ...checkDriverSpec(driver),
    ...checkImmutable('spec.attachedRequired', driver.spec.attachRequired ?? null, old.spec.attachRequired),
    ...checkImmutable('spec.volumeLifecycleModes', driver.spec.volumeLifecycleModes ?? null, old.spec.volumeLifecycleModes),
  ],
}

function checkCapacity(object: CSIStorageCapacity): FieldError[] {
  const { capacity } = object
  return [
    ...checkMeta(object.metadata, true, nameIsDnsSubdomain),
    ...checkLabelSelector('nodeTopology', object.nodeTopology),
    ...checkClassName('storageClassName', textOf(object.storageClassName)),
    ...(capacity !== undefined && quantity(capacity).sign() < 0 ? [invalid('capacity', capacity, negativeMessage)] : []),
  ]
}

export const csiStorageCapacityValidation: KindValidation<CSIStorageCapacity> = {
  namespaced: true,
  create: checkCapacity,
  update: (object, old) => [
    ...checkCapacity(object),
    ...checkMetaUpdate(object.metadata, old.metadata),
    ...checkImmutable('nodeTopology', object.nodeTopology ?? null, old.nodeTopology),
    ...checkImmutable('storageClassName', textOf(object.storageClassName), textOf(old.storageClassName)),
  ],
}
