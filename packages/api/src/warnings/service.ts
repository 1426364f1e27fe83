import type { Service } from '../types/core/v1.ts'
import { isHeadless } from '../validation/service/cluster-ips.ts'

const hints = 'service.kubernetes.io/topology-aware-hints'
const mode = 'service.kubernetes.io/topology-mode'

/** Fields of a service that its type leaves without effect. */
export function serviceWarnings({ metadata, spec }: Service): string[] {
  const warnings: string[] = []
  if (metadata.annotations?.[hints] !== undefined) warnings.push(`annotation ${hints} is deprecated, please use ${mode} instead`)
  if (isHeadless(spec)) {
    if (spec?.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
    if (spec?.externalIPs?.length) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec?.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  if (spec?.type === 'ExternalName' && spec.externalIPs?.length) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (spec?.type !== 'ExternalName' && spec?.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  return warnings
}
