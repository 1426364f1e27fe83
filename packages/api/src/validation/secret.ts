import type { Secret } from '../types/core/v1.ts'
import { checkFormat, checkImmutable, sameValue, textOf } from './common.ts'
import { decodedSize, immutableData, maxDataSize } from './config-map.ts'
import { forbidden, invalid, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { configMapKey } from './formats.ts'
import { goJsonProblem } from './json-problem.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

function checkSecret(secret: Secret): FieldError[] {
  const errors = checkMeta(secret.metadata, true, nameIsDnsSubdomain)
  let size = 0
  for (const [key, value] of Object.entries(secret.data ?? {})) {
    errors.push(...checkFormat(`data[${key}]`, key, configMapKey))
    size += decodedSize(value)
  }
  if (size > maxDataSize) errors.push(tooLong('data', maxDataSize))
  return [...errors, ...checkTypedData(secret)]
}

const accountName = 'kubernetes.io/service-account.name'

/** What a secret of a known type must hold. */
function checkTypedData({ type, data = {}, metadata }: Secret): FieldError[] {
  const has = (key: string) => Object.hasOwn(data, key)
  const missing = (...keys: string[]) => keys.filter((key) => !has(key)).map((key) => required(`data[${key}]`))
  switch (type) {
    case 'kubernetes.io/service-account-token':
      return textOf(metadata.annotations?.[accountName]) === '' ? [required(`metadata.annotations[${accountName}]`)] : []
    case 'kubernetes.io/dockercfg': return has('.dockercfg') ? checkJson('.dockercfg', data) : missing('.dockercfg')
    case 'kubernetes.io/dockerconfigjson': return has('.dockerconfigjson') ? checkJson('.dockerconfigjson', data) : missing('.dockerconfigjson')
    case 'kubernetes.io/basic-auth': return has('username') || has('password') ? [] : missing('username', 'password')
    case 'kubernetes.io/ssh-auth': return textOf(data['ssh-privatekey']) === '' ? [required('data[ssh-privatekey]')] : []
    case 'kubernetes.io/tls': return missing('tls.crt', 'tls.key')
    default: return []
  }
}

function checkJson(key: string, data: Record<string, string>): FieldError[] {
  const problem = goJsonProblem(Buffer.from(data[key] ?? '', 'base64').toString())
  return problem === undefined ? [] : [invalid(`data[${key}]`, '<secret contents redacted>', problem)]
}

export const secretValidation: KindValidation<Secret> = {
  namespaced: true,
  create: checkSecret,
  update(secret, old) {
    const errors = [...checkMetaUpdate(secret.metadata, old.metadata), ...checkImmutable('type', textOf(secret.type), textOf(old.type))]
    if (old.immutable) {
      if (!secret.immutable) errors.push(forbidden('immutable', immutableData))
      if (!sameValue(secret.data, old.data)) errors.push(forbidden('data', immutableData))
    }
    return [...errors, ...checkSecret(secret)]
  },
}
