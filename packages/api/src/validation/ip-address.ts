import type { IPAddress } from '../types/networking/v1.ts'
import { checkFormat, checkImmutable, checkRequired, textOf } from './common.ts'
import { required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain, pathSegmentName } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import { canonicalIp, checkIp } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate } from './object-meta.ts'
import type { NameRule } from './object-meta.ts'

/** The name is the address, written as RFC 5952 has it. */
const nameIsAddress: NameRule = (name) => {
  const problems = checkIp('', name).map((error) => error.detail)
  return problems.length > 0 || canonicalIp(name) === name ? problems : [`must be in canonical form ("${canonicalIp(name)}")`]
}

function checkSpec({ spec }: IPAddress): FieldError[] {
  const parent = spec?.parentRef
  if (!parent) return [required('spec.parentRef')]
  const optional = (name: 'group' | 'namespace', format: typeof pathSegmentName) => (textOf(parent[name]) === '' ? [] : checkFormat(`spec.parentRef.${name}`, textOf(parent[name]), format))
  const segment = (name: 'resource' | 'name') => [...checkRequired(`spec.parentRef.${name}`, parent[name]), ...checkFormat(`spec.parentRef.${name}`, textOf(parent[name]), pathSegmentName)]
  return [...optional('group', dns1123Subdomain), ...segment('resource'), ...segment('name'), ...optional('namespace', pathSegmentName)]
}

export const ipAddressValidation: KindValidation<IPAddress> = {
  namespaced: false,
  create: (address) => [...checkMeta(address.metadata, false, nameIsAddress), ...checkSpec(address)],
  update: (address, old) => [
    ...checkMetaUpdate(address.metadata, old.metadata),
    ...checkImmutable('spec.parentRef', toInternal('ParentReference', address.spec?.parentRef), toInternal('ParentReference', old.spec?.parentRef)),
  ],
}
