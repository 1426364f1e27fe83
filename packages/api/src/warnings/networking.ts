import type { Ingress, NetworkPolicy } from '../types/networking/v1.ts'
import { canonicalCidr } from '../validation/ip.ts'

const classAnnotation = 'kubernetes.io/ingress.class'

/** On creation: the annotation that came before the field. */
export function ingressWarnings({ metadata, spec }: Ingress, old: Ingress | undefined): string[] {
  if (old !== undefined || metadata.annotations?.[classAnnotation] === undefined || spec.ingressClassName !== undefined) return []
  return [`annotation ${JSON.stringify(classAnnotation)} is deprecated, please use 'spec.ingressClassName' instead`]
}

/** Networks in IPv6 that are not written in the one way that they should be. */
export function networkPolicyWarnings({ spec }: NetworkPolicy): string[] {
  const rules = [
    ...(spec.ingress ?? []).map(({ from }, i) => ({ peers: from, at: `spec.ingress[${i}].from` })), ...(spec.egress ?? []).map(({ to }, i) => ({ peers: to, at: `spec.egress[${i}].to` })),
  ]
  return rules.flatMap(({ peers, at }) => (peers ?? []).flatMap(({ ipBlock }, i) => {
    if (!ipBlock) return []
    const path = `${at}[${i}].ipBlock`
    return [[`${path}.cidr`, ipBlock.cidr] as const, ...(ipBlock.except ?? []).map((text, j) => [`${path}.except[${j}]`, text] as const)].flatMap(([field, text]) => {
      const canonical = canonicalCidr(text)
      return canonical === undefined || canonical === text ? [] : [`${field}: IPv6 CIDR value ${JSON.stringify(text)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`]
    })
  }))
}
