import { scheduling } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import type { PriorityClass } from '@berth/api/types/scheduling/v1'
import { forbidden } from '../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { systemPriorityClasses } from '../bootstrap/priority-classes-hook.ts'
import { podOf, refuse } from './pods.ts'

/** Resolves a pod's priorityClassName to the number the scheduler goes by; keeps one default class, and the system's classes. */
export function priority(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: (operation) => operation !== 'CONNECT',
    admit(attributes) {
      const pod = podOf(attributes)
      if (!pod?.spec) return
      if (attributes.operation === 'CREATE') resolvePriority(attributes, pod, store)
      if (attributes.operation === 'UPDATE') keepPriority(pod, attributes.oldObject as unknown as Pod)
    },
    validate(attributes) {
      if (attributes.resource.group !== 'scheduling.k8s.io' || attributes.resource.resource !== 'priorityclasses') return
      if (attributes.operation === 'DELETE') {
        if (systemPriorityClasses.some((c) => c.metadata.name === attributes.name)) throw forbidden(attributes.resource, attributes.name, 'this is a system priority class and cannot be deleted')
        return
      }
      const object = attributes.object as unknown as PriorityClass
      if (!object.globalDefault) return
      const other = defaultClass(store)
      if (other && other.metadata.name !== object.metadata.name) throw refuse(attributes, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`)
    },
  }
}

function resolvePriority(attributes: AdmissionAttributes, pod: Pod, store: ResourceStore): void {
  const spec = pod.spec
  if (!spec) return
  let found: PriorityClass | undefined
  if (spec.priorityClassName) {
    found = store.get(scheduling.priorityclasses, spec.priorityClassName)
    if (!found) throw refuse(attributes, `no PriorityClass with name ${spec.priorityClassName} was found`)
  } else {
    found = defaultClass(store)
    if (found) spec.priorityClassName = found.metadata.name
  }
  const value = found?.value ?? 0
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refuse(attributes, `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`)
  }
  spec.priority = value
  const policy = found ? found.preemptionPolicy : 'PreemptLowerPriority'
  if (policy === undefined) return
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refuse(attributes, `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`)
  }
  spec.preemptionPolicy = policy
}

/** A client that knows nothing of priorities does not take them away by an update. */
function keepPriority(pod: Pod, old: Pod): void {
  if (!pod.spec) return
  if (pod.spec.priority === undefined && old.spec?.priority !== undefined) pod.spec.priority = old.spec.priority
  if (pod.spec.preemptionPolicy === undefined && old.spec?.preemptionPolicy !== undefined) pod.spec.preemptionPolicy = old.spec.preemptionPolicy
}

/** The class that is marked as default; the lowest where several are. */
function defaultClass(store: ResourceStore): PriorityClass | undefined {
  return store.list(scheduling.priorityclasses).filter((c) => c.globalDefault).sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
}
