import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../types/core/v1.ts'
import { checkFormat, checkImmutable, quantity, sameValue, textOf } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import { internalDiff } from './internal/diff.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkClaimSpec } from './persistent-volume-claim/spec.ts'

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

const checkClaim = (claim: PersistentVolumeClaim): FieldError[] => [...checkMeta(claim.metadata, true, nameIsDnsSubdomain), ...checkClaimSpec(claim.spec, 'spec')]

/** The spec with what may change made equal to the old one. */
function frozenSpec(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): { spec: PersistentVolumeClaimSpec, oldSpec: PersistentVolumeClaimSpec, errors: FieldError[] } {
  const spec: PersistentVolumeClaimSpec = { ...claim.spec }
  const oldSpec: PersistentVolumeClaimSpec = { ...old.spec }
  const errors: FieldError[] = []
  if (!oldSpec.volumeName && spec.volumeName) oldSpec.volumeName = spec.volumeName
  const before = old.metadata.annotations?.[classAnnotation]
  const now = claim.metadata.annotations?.[classAnnotation]
  const givenByField = before !== undefined && old.spec.storageClassName === undefined && claim.spec.storageClassName === before && (now === undefined || now === before)
  if (givenByField) delete spec.storageClassName
  else {
    if (textOf(now) !== textOf(before)) errors.push(invalid(`metadata.annotations[${classAnnotation}]`, textOf(now), 'field is immutable'))
    const firstClass = claim.spec.storageClassName !== undefined && old.spec.storageClassName === undefined && (before === undefined || before === claim.spec.storageClassName)
    if (firstClass) delete spec.storageClassName
  }
  if (claim.status?.phase === 'Bound') {
    const size = old.spec.resources?.requests?.['storage']
    if (spec.resources?.requests && size !== undefined) spec.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage: size } }
    if (oldSpec.volumeAttributesClassName === undefined) delete spec.volumeAttributesClassName
    else spec.volumeAttributesClassName = oldSpec.volumeAttributesClassName
  }
  return { spec, oldSpec, errors }
}

function checkUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const { spec, oldSpec, errors: ofAnnotations } = frozenSpec(claim, old)
  const errors = [...checkMetaUpdate(claim.metadata, old.metadata), ...checkClaim(claim), ...ofAnnotations]
  if (!sameValue(spec, oldSpec)) {
    const diff = internalDiff(toInternal('PersistentVolumeClaimSpec', oldSpec), toInternal('PersistentVolumeClaimSpec', spec))
    errors.push(forbidden('spec', `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${diff}`))
  }
  const sizeOf = (amount: string | undefined) => quantity(amount ?? '0')
  const size = sizeOf(claim.spec.resources?.requests?.['storage'])
  // Less may be asked for after growing failed, but never less than there is.
  if (size.cmp(sizeOf(old.spec.resources?.requests?.['storage'])) < 0 && size.cmp(sizeOf(old.status?.capacity?.['storage'])) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  errors.push(...checkImmutable('volumeMode', claim.spec.volumeMode ?? null, old.spec.volumeMode))
  if (old.status?.currentVolumeAttributesClassName !== undefined && claim.spec.volumeAttributesClassName !== old.spec.volumeAttributesClassName) {
    const field = 'spec.volumeAttributesClassName'
    const set = 'is forbidden when status.currentVolumeAttributesClassName is not nil'
    if (claim.spec.volumeAttributesClassName === undefined) errors.push(forbidden(field, `update to nil ${set}`))
    else if (claim.spec.volumeAttributesClassName === '') errors.push(forbidden(field, `update to empty string ${set}`))
  }
  return errors
}

const resizeStatuses = ['ControllerResizeInProgress', 'ControllerResizeInfeasible', 'NodeResizePending', 'NodeResizeInProgress', 'NodeResizeInfeasible'].sort()

/** A resource of a claim: storage, or one with a domain of its own. */
function checkResourceName(field: string, name: string): FieldError[] {
  const errors = checkFormat(field, name, qualifiedName)
  const native = !name.includes('/') || /(^|\.)kubernetes\.io\//.test(name)
  return errors.length === 0 && native && name !== 'storage' ? [notSupported(field, name, ['storage'])] : errors
}

function checkStatus({ spec, status = {} }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = spec.accessModes?.length ? [] : [required('Spec.accessModes')]
  const amounts = (field: string, list: Readonly<Record<string, string>> | undefined, named: boolean): FieldError[] => Object.entries(list ?? {}).flatMap(([name, amount]) => {
    const wrong = named ? checkResourceName(field, name) : []
    if (wrong.length > 0) return wrong
    const value = quantity(amount).value()
    return value < 0n ? [invalid(`${field}[${name}]`, value, 'must be a valid resource quantity')] : []
  })
  errors.push(...amounts('status.capacity', status.capacity, false))
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    errors.push(...checkResourceName('status.allocatedResourceStatuses', name))
    if (!resizeStatuses.includes(state)) errors.push(notSupported('status.allocatedResourceStatuses', name, resizeStatuses))
  }
  return [...errors, ...amounts('status.allocatedResources', status.allocatedResources, true)]
}

export const persistentVolumeClaimValidation: KindValidation<PersistentVolumeClaim> = {
  namespaced: true,
  create: checkClaim,
  update: (claim, old, subresource) => (subresource === 'status' ? [...checkMetaUpdate(claim.metadata, old.metadata), ...checkStatus(claim)] : checkUpdate(claim, old)),
}
