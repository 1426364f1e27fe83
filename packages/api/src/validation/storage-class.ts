import type { TopologySelectorTerm } from '../types/core/v1.ts'
import type { StorageClass, VolumeAttributesClass } from '../types/storage/v1.ts'
import { checkFormat, checkImmutable, checkOneOf, sameValue, textOf } from './common.ts'
import { duplicate, forbidden, invalid, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelName, checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const parametersLimit = 256 * 1024
const parametersCount = 512

const checkProvisioner = (field: string, name: string | undefined): FieldError[] => (textOf(name) === '' ? [required(field)]
  : checkFormat(field, textOf(name).toLowerCase(), qualifiedName))

function checkParameters(parameters: Readonly<Record<string, string>> | undefined, allowEmpty: boolean): FieldError[] {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > parametersCount) return [tooLong('parameters', parametersCount)]
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  return [
    ...entries.filter(([key]) => key === '').map(([key]) => invalid('parameters', key, 'field can not be empty.')),
    ...(size > parametersLimit ? [tooLong('parameters', parametersLimit)] : []),
    ...(!allowEmpty && entries.length === 0 ? [required('parameters', 'must contain at least one key/value pair')] : []),
  ]
}

function checkTopologies(terms: readonly TopologySelectorTerm[] | undefined): FieldError[] {
  const seen: Record<string, string[]>[] = []
  return (terms ?? []).flatMap((term, i) => {
    const at = `allowedTopologies[${i}].matchLabelExpressions`
    const keys: Record<string, string[]> = {}
    const errors = (term.matchLabelExpressions ?? []).flatMap(({ key = '', values = [] }, j) => {
      const own = [
        ...(values.length === 0 ? [required(`${at}[${j}].values`)] : []),
        ...values.flatMap((value, k) => (values.indexOf(value) < k ? [duplicate(`${at}[${j}].values[${k}]`, value)] : [])),
        ...checkLabelName(`${at}[${j}].key`, key),
        ...(Object.hasOwn(keys, key) ? [duplicate(`${at}[${j}].key`, key)] : []),
      ]
      keys[key] = [...new Set(values)].sort()
      return own
    })
    if (seen.some((other) => sameValue(other, keys))) errors.push(duplicate(at, ''))
    seen.push(keys)
    return errors
  })
}

function checkStorageClass(object: StorageClass): FieldError[] {
  const { reclaimPolicy, volumeBindingMode } = object
  return [
    ...checkMeta(object.metadata, false, nameIsDnsSubdomain),
    ...checkProvisioner('provisioner', object.provisioner),
    ...checkParameters(object.parameters, true),
    ...(textOf(reclaimPolicy) === '' ? [] : checkOneOf('reclaimPolicy', textOf(reclaimPolicy), ['Delete', 'Retain'])),
    ...(volumeBindingMode === undefined ? [required('volumeBindingMode')] : checkOneOf('volumeBindingMode', volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'])),
    ...checkTopologies(object.allowedTopologies),
  ]
}

export const storageClassValidation: KindValidation<StorageClass> = {
  namespaced: false,
  create: checkStorageClass,
  update: (object, old) => [
    ...checkStorageClass(object),
    ...checkMetaUpdate(object.metadata, old.metadata),
    ...(['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'] as const).flatMap((field) => checkImmutable(field, object[field] ?? null, old[field])),
  ],
}

function checkAttributesClass(object: VolumeAttributesClass): FieldError[] {
  return [...checkMeta(object.metadata, false, nameIsDnsSubdomain), ...checkProvisioner('driverName', object.driverName), ...checkParameters(object.parameters, false)]
}

export const volumeAttributesClassValidation: KindValidation<VolumeAttributesClass> = {
  namespaced: false,
  create: checkAttributesClass,
  update: (object, old) => [
    ...checkMetaUpdate(object.metadata, old.metadata),
    ...(['driverName', 'parameters'] as const).filter((field) => !sameValue(object[field], old[field])).map((field) => forbidden(field, `updates to ${field} are forbidden.`)),
    ...checkAttributesClass(object),
  ],
}
