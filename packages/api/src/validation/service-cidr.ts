import type { ServiceCIDR } from '../types/networking/v1.ts'
import { sameValue } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { checkCidr, isDualStack } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

function checkSpec({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? []
  if (cidrs.length === 0) return [required('spec.cidrs', 'at least one CIDR required')]
  const errors: FieldError[] = []
  if (cidrs.length > 2) errors.push(invalid('spec.cidrs', cidrs, 'may only hold up to 2 values'))
  if (cidrs.length > 1 && !isDualStack(cidrs)) errors.push(invalid('spec.cidrs', cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96'))
  return [...errors, ...cidrs.flatMap((cidr, i) => checkCidr(`spec.cidrs[${i}]`, cidr))]
}

export const serviceCidrValidation: KindValidation<ServiceCIDR> = {
  namespaced: false,
  create: (cidr) => [...checkMeta(cidr.metadata, false, nameIsDnsSubdomain), ...checkSpec(cidr)],
  update(cidr, old, subresource) {
    const errors = checkMetaUpdate(cidr.metadata, old.metadata)
    if (subresource === 'status') return errors
    const now = cidr.spec?.cidrs ?? []
    const before = old.spec?.cidrs ?? []
    // A second family may be added once; what is there stays.
    const grows = before.length === 1 && now.length === 2 && now[0] === before[0]
    if (!grows && !sameValue(now, before)) return [...errors, invalid('spec.cidrs', now, 'field is immutable')]
    return grows ? [...errors, ...checkSpec(cidr)] : errors
  },
}
