import type { ConfigMap } from '../types/core/v1.ts'
import { checkFormat, sameValue, textOf } from './common.ts'
import { forbidden, invalid, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { configMapKey } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

/** 1 MiB for all values of a ConfigMap or Secret. */
export const maxDataSize = 1024 * 1024
/** The size of base64 text once decoded; a null value holds nothing. */
export const decodedSize = (text: string | null): number => Buffer.from(text ?? '', 'base64').length

export const immutableData = 'field is immutable when `immutable` is set'

function checkConfigMap(map: ConfigMap): FieldError[] {
  const errors = checkMeta(map.metadata, true, nameIsDnsSubdomain)
  let size = 0
  for (const [key, value] of Object.entries(map.data ?? {})) {
    errors.push(...checkFormat(`data[${key}]`, key, configMapKey))
    if (map.binaryData && Object.hasOwn(map.binaryData, key)) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    size += Buffer.byteLength(textOf(value))
  }
  for (const [key, value] of Object.entries(map.binaryData ?? {})) {
    errors.push(...checkFormat(`binaryData[${key}]`, key, configMapKey))
    size += decodedSize(value)
  }
  // Upstream names the whole object so.
  return size > maxDataSize ? [...errors, tooLong('[]', maxDataSize)] : errors
}

export const configMapValidation: KindValidation<ConfigMap> = {
  namespaced: true,
  create: checkConfigMap,
  update(map, old) {
    const errors = checkMetaUpdate(map.metadata, old.metadata)
    if (old.immutable) {
      if (!map.immutable) errors.push(forbidden('immutable', immutableData))
      if (!sameValue(map.data, old.data)) errors.push(forbidden('data', immutableData))
      if (!sameValue(map.binaryData, old.binaryData)) errors.push(forbidden('binaryData', immutableData))
    }
    return [...errors, ...checkConfigMap(map)]
  },
}
