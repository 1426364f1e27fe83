import type { NetworkPolicy } from '../types/networking/v1.ts'

export function defaultNetworkPolicy(policy: NetworkPolicy): void {
  const spec = (policy.spec ??= {})
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
}
