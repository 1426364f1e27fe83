import type { AdmissionPlugin } from '../interfaces.ts'

/** Kinds that are kept as upstream keeps them, and that nothing here acts on yet: whoever makes one is told so. */
const idle: Readonly<Record<string, string>> = {
  'flowcontrol.apiserver.k8s.io/flowschemas': 'requests are not limited by flow schemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': 'requests are not limited by priority levels',
  'networking.k8s.io/networkpolicies': 'the pod network does not enforce network policies',
}

/** Warns whoever creates what nothing acts on. */
export const notActedOn: AdmissionPlugin = {
  name: 'NotActedOn',
  handles: (operation) => operation === 'CREATE',
  validate(attributes) {
    if (attributes.subresource !== '') return
    const reason = idle[`${attributes.resource.group}/${attributes.resource.resource}`]
    if (reason !== undefined) attributes.warn(`Berth keeps this ${attributes.resource.kind}, and does not act on it yet: ${reason}`)
  },
}
