import type { AdmissionAttributes, AdmissionPlugin } from '../interfaces.ts'

/** Kinds that are kept as upstream keeps them, and that nothing here acts on yet: whoever makes one is told so. */
const idle: Readonly<Record<string, string>> = {
  'flowcontrol.apiserver.k8s.io/flowschemas': 'requests are not limited by flow schemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': 'requests are not limited by priority levels',
  'networking.k8s.io/networkpolicies': 'the pod network does not enforce network policies',
}

function reasonFor({ resource, object }: AdmissionAttributes): string | undefined {
  if (resource.group === 'apiregistration.k8s.io' && resource.resource === 'apiservices') {
    return (object?.['spec'] as { service?: unknown } | undefined)?.service ? 'requests are not passed on to other API servers' : undefined
  }
  return idle[`${resource.group}/${resource.resource}`]
}

/** Warns whoever creates what nothing acts on. */
export const notActedOn: AdmissionPlugin = {
  name: 'NotActedOn',
  handles: (operation) => operation === 'CREATE',
  validate(attributes) {
    if (attributes.subresource !== '') return
    const reason = reasonFor(attributes)
    if (reason !== undefined) attributes.warn(`Berth keeps this ${attributes.resource.kind}, and does not act on it yet: ${reason}`)
  },
}
