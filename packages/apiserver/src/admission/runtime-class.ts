import { node } from '@berth/api'
import type { Pod, Toleration } from '@berth/api/types/core/v1'
import type { RuntimeClass } from '@berth/api/types/node/v1'
import type { AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { podOf, refuse } from './pods.ts'

/** Gives a pod what its RuntimeClass says: overhead, node selector, tolerations. */
export function runtimeClass(store: ResourceStore): AdmissionPlugin {
  const classOf = (pod: Pod): RuntimeClass | undefined => (pod.spec?.runtimeClassName ? store.get(node.runtimeclasses, pod.spec.runtimeClassName) : undefined)
  return {
    name: 'RuntimeClass',
    handles: (operation) => operation === 'CREATE',
    admit(attributes) {
      const pod = podOf(attributes)
      const name = pod?.spec?.runtimeClassName
      if (!pod || !name) return
      const found = classOf(pod)
      if (!found) throw refuse(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
      const { overhead, scheduling } = found
      if (overhead?.podFixed) {
        if (pod.spec.overhead && JSON.stringify(pod.spec.overhead) !== JSON.stringify(overhead.podFixed)) throw refuse(attributes, 'pod rejected: Pod\'s Overhead doesn\'t match RuntimeClass\'s defined Overhead')
        pod.spec.overhead = { ...overhead.podFixed }
      }
      if (!scheduling) return
      for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
        const given = pod.spec.nodeSelector?.[key]
        if (given !== undefined && given !== value) throw refuse(attributes, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${given}`)
      }
      if (scheduling.nodeSelector) pod.spec.nodeSelector = { ...pod.spec.nodeSelector, ...scheduling.nodeSelector }
      for (const toleration of scheduling.tolerations ?? []) addToleration(pod, toleration)
    },
    validate(attributes) {
      const pod = podOf(attributes)
      if (!pod?.spec) return
      if (pod.spec.overhead && !classOf(pod)?.overhead?.podFixed) throw refuse(attributes, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    },
  }
}

function addToleration(pod: Pod, toleration: Toleration): void {
  const same = (a: Toleration, b: Toleration): boolean => a.key === b.key && a.operator === b.operator && a.value === b.value && a.effect === b.effect && a.tolerationSeconds === b.tolerationSeconds
  const given = pod.spec.tolerations ?? []
  if (!given.some((other) => same(other, toleration))) pod.spec.tolerations = [...given, toleration]
}
