import { formatLabelSelector } from '../selectors/labels.ts'
import type { Ingress, IngressClass, IngressRule, NetworkPolicy } from '../types/networking/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'

const hostsShown = 3

function hosts(rules: readonly IngressRule[] | undefined): string {
  const named: string[] = []
  let more = false
  for (const { host = '' } of rules ?? []) {
    if (named.length === hostsShown) more = true
    if (!more && host !== '') named.push(host)
  }
  if (named.length === 0) return '*'
  return more ? `${named.join(',')} + ${(rules?.length ?? 0) - hostsShown} more...` : named.join(',')
}

function addresses({ status }: Ingress): string {
  const found = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((text) => text !== '')
  return [...new Set(found)].sort().join(',')
}

export const ingressTable: KindTable<Ingress> = {
  columns: [
    nameColumn,
    { name: 'Class', description: 'The name of the IngressClass resource that should be used for additional configuration' },
    { name: 'Hosts', description: 'Hosts that incoming requests are matched against before the ingress rule' },
    { name: 'Address', description: 'Address is a list containing ingress points for the load-balancer' },
    { name: 'Ports', description: 'Ports of TLS configurations that open' },
    ageColumn,
  ],
  cells: (ingress, now) => [
    ingress.metadata.name, ingress.spec?.ingressClassName ?? '<none>', hosts(ingress.spec?.rules), addresses(ingress), ingress.spec?.tls?.length ? '80, 443' : '80', ageOf(ingress, now),
  ],
}

export const ingressClassTable: KindTable<IngressClass> = {
  columns: [
    nameColumn,
    { name: 'Controller', description: 'Controller that is responsible for handling this class' },
    { name: 'Parameters', description: 'A reference to a resource with additional parameters' },
    ageColumn,
  ],
  cells(object, now) {
    const parameters = object.spec?.parameters
    const isDefault = object.metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'
    return [
      `${object.metadata.name}${isDefault ? ' (default)' : ''}`, object.spec?.controller ?? '',
      parameters ? `${parameters.kind}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name}` : '<none>', ageOf(object, now),
    ]
  },
}

export const networkPolicyTable: KindTable<NetworkPolicy> = {
  columns: [
    nameColumn,
    // A field whose type is a struct has no documentation of its own in what descriptions are read from.
    {
      name: 'Pod-Selector',
      description: 'podSelector selects the pods to which this NetworkPolicy object applies. The array of rules is applied to any pods selected by this field. An empty selector matches all '
        + 'pods in the policy\'s namespace. Multiple network policies can select the same set of pods. In this case, the ingress rules for each are combined additively. This field is optional. '
        + 'If it is not specified, it defaults to an empty selector.',
    },
    ageColumn,
  ],
  cells: (policy, now) => [policy.metadata.name, formatLabelSelector(policy.spec?.podSelector ?? {}), ageOf(policy, now)],
}
