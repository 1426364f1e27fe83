import type { Service, ServiceSpec } from '../../types/core/v1.ts'
import { textOf } from '../common.ts'
import { duplicate, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkIp, isDualStack, isIpv6Text } from '../ip.ts'

/** A service without an address of its own. */
export const isHeadless = (spec: ServiceSpec | undefined): boolean => spec?.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None'

const families = ['IPv4', 'IPv6']
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

/** clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy, each and together. Also asked after addresses have been allocated. */
export function checkClusterIps({ spec }: Service): FieldError[] {
  if (!spec || spec.type === 'ExternalName') return []
  const errors: FieldError[] = []
  const ips = spec.clusterIPs ?? []
  const clusterIp = textOf(spec.clusterIP)
  if (clusterIp !== '') {
    if (ips.length === 0) errors.push(required('spec.clusterIPs'))
    else if (ips[0] !== clusterIp) errors.push(invalid('spec.clusterIPs', ips, 'first value must match `clusterIP`'))
  } else if (ips.length > 0) errors.push(invalid('spec.clusterIPs', ips, 'must be empty when `clusterIP` is not specified'))
  spec.ipFamilies?.forEach((family, i, all) => {
    if (!families.includes(family)) errors.push(notSupported(`spec.ipFamilies[${i}]`, family, families))
    if (all.indexOf(family) < i) errors.push(duplicate(`spec.ipFamilies[${i}]`, family))
  })
  if (spec.ipFamilyPolicy !== undefined && !policies.includes(spec.ipFamilyPolicy)) errors.push(notSupported('spec.ipFamilyPolicy', spec.ipFamilyPolicy, policies))
  const wrong = ips.flatMap((ip, i) => {
    if (i === 0 && ip === 'None') return ips.length > 1 ? [invalid('spec.clusterIPs', ips, "'None' must be the first and only value")] : []
    return checkIp(`spec.clusterIPs[${i}]`, ip)
  })
  errors.push(...wrong)
  if (ips.length > 2) errors.push(invalid('spec.clusterIPs', ips, 'may only hold up to 2 values'))
  if (wrong.length > 0) return errors
  if (ips.length > 1 && !isDualStack(ips)) errors.push(invalid('spec.clusterIPs', ips, 'may specify no more than one IP for each IP family'))
  if (isHeadless(spec)) return errors
  ips.forEach((ip, i) => {
    const family = spec.ipFamilies?.[i]
    if (family !== undefined && families.includes(family) && (family === 'IPv6') !== isIpv6Text(ip)) errors.push(invalid(`spec.clusterIPs[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``))
  })
  return errors
}

/** Addresses once given stay; a second one may come and go. */
export function checkClusterIpsUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (spec?.type === 'ExternalName' || old?.type === 'ExternalName' || (isHeadless(spec) && isHeadless(old))) return []
  const now = spec?.clusterIPs ?? []
  const before = old?.clusterIPs ?? []
  if (before.length === now.length) return before.flatMap((ip, i) => (ip === now[i] ? [] : [invalid(`spec.clusterIPs[${i}]`, now, 'may not change once set')]))
  const errors: FieldError[] = []
  if (before.length > now.length && now.length === 0) errors.push(invalid('spec.clusterIPs[0]', now, 'primary clusterIP can not be unset'))
  if (before.length > 0 && now.length > 0 && now[0] !== before[0]) errors.push(invalid('spec.clusterIPs[0]', now, 'may not change once set'))
  if (before.length > now.length && now.length === 1 && spec?.ipFamilyPolicy !== 'SingleStack') {
    errors.push(invalid('spec.ipFamilyPolicy', spec?.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary clusterIP"))
  }
  return errors
}

/** The first family stays as long as the service has addresses. */
export function checkFamiliesUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (spec?.type === 'ExternalName' || old?.type === 'ExternalName' || isHeadless(spec) || isHeadless(old)) return []
  const now = spec?.ipFamilies ?? []
  const before = old?.ipFamilies ?? []
  const changed = (value: unknown) => invalid('spec.ipFamilies[0]', value, 'may not change once set')
  if (before.length === now.length) return before.flatMap((family, i) => (family === now[i] ? [] : [changed(now)]))
  const errors: FieldError[] = []
  if (before.length > now.length && (spec?.clusterIPs?.length ?? 0) === 0) errors.push(invalid('spec.ipFamilies[0]', now, 'primary ipFamily can not be unset'))
  if (before.length > 0 && now.length > 0 && now[0] !== before[0]) errors.push(changed(spec?.clusterIPs ?? []))
  if (before.length > now.length && now.length === 1 && spec?.ipFamilyPolicy !== 'SingleStack') {
    errors.push(invalid('spec.ipFamilyPolicy', spec?.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary ipFamily"))
  }
  return errors
}
