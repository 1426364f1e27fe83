import type { Node } from '@berth/api/types/core/v1'
import type { AdmissionPlugin } from '../interfaces.ts'

const key = 'node.kubernetes.io/not-ready'

/** A new node takes no pods until the node lifecycle controller has seen it ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (operation) => operation === 'CREATE',
  admit(attributes) {
    if (attributes.resource.group !== '' || attributes.resource.resource !== 'nodes' || attributes.subresource !== '' || !attributes.object) return
    const node = attributes.object as unknown as Node
    const taints = node.spec?.taints ?? []
    if (taints.some((t) => t.key === key && t.effect === 'NoSchedule')) return
    node.spec = { ...node.spec, taints: [...taints, { key, effect: 'NoSchedule' }] }
  },
}
