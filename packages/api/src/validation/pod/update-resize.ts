import type { Container, Pod, ResourceList, ResourceRequirements } from '../../types/core/v1.ts'
import { quantity, sameValue, textOf } from '../common.ts'
import { forbidden, invalid } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkMetaUpdate } from '../object-meta.ts'
import { mirrorAnnotation } from './annotations.ts'
import { isSidecar } from './context.ts'
import { podQosClass } from './qos.ts'

/** Cpu and memory of running containers, and of the pod as a whole, change; the class of service, and all else, do not. */
export function checkPodResize(pod: Pod, old: Pod, whole: readonly FieldError[]): FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbidden('[]', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbidden('[]', 'windows pods cannot be resized')]
  const errors = [...checkMetaUpdate(pod.metadata, old.metadata), ...whole]
  if ((old.status?.qosClass ?? podQosClass(old.spec)) !== podQosClass(pod.spec)) {
    errors.push(invalid('spec', textOf(pod.status?.qosClass), 'Pod QOS Class may not change as a result of resizing'))
  }
  const running = old.status?.containerStatuses?.find((status) => status.state?.running)
  if (running && !running.resources) errors.push(forbidden('spec', 'Pod running on node without support for resize'))
  const { initContainers } = pod.spec
  const containers = pod.spec.containers ?? []
  if (containers.length !== (old.spec.containers ?? []).length || (initContainers?.length ?? 0) !== (old.spec.initContainers?.length ?? 0)) {
    return [...errors, forbidden('spec', 'only cpu and memory resources are mutable')]
  }
  old.spec.initContainers?.forEach((before, i) => {
    if (isSidecar(before)) errors.push(...checkNothingRemoved(initContainers?.[i]?.resources, before.resources, `spec.initContainers[${i}].resources`))
  })
  old.spec.containers?.forEach((before, i) => errors.push(...checkNothingRemoved(containers[i]?.resources, before.resources, `spec.containers[${i}].resources`)))
  errors.push(...checkNothingRemoved(pod.spec.resources, old.spec.resources, 'spec.resources'))
  const restored = { ...pod.spec, containers: containers.map((container, i) => withOldResources(container, old.spec.containers?.[i])) }
  restored.containers.forEach((container, i) => {
    if (!sameContainer(container, old.spec.containers?.[i])) errors.push(forbidden('spec', 'only cpu and memory resources are mutable'))
  })
  if (initContainers) {
    restored.initContainers = initContainers.map((container, i) => (isSidecar(container) ? withOldResources(container, old.spec.initContainers?.[i]) : container))
    restored.initContainers.forEach((container, i) => {
      if (sameContainer(container, old.spec.initContainers?.[i])) return
      errors.push(forbidden('spec', isSidecar(container) ? 'only cpu and memory resources for sidecar containers are mutable' : 'resources for non-sidecar init containers are immutable'))
    })
  }
  if (restored.resources && old.spec.resources) restored.resources = withOldAmounts(restored.resources, old.spec.resources)
  const { containers: _containers, initContainers: _initContainers, ...others } = restored
  const { containers: _oldContainers, initContainers: _oldInitContainers, ...oldOthers } = old.spec
  if (errors.length === 0 && !sameValue(others, oldOthers)) errors.push(forbidden('spec', 'only cpu and memory resources are mutable'))
  return errors
}

/** Equality of containers; one without resources has empty ones. */
function sameContainer(a: Container, b: Container | undefined): boolean {
  return sameValue({ ...a, resources: a.resources ?? {} }, { ...b, resources: b?.resources ?? {} })
}

function checkNothingRemoved(now: ResourceRequirements | undefined, before: ResourceRequirements | undefined, at: string): FieldError[] {
  const removed = (list: 'requests' | 'limits') => Object.keys(before?.[list] ?? {}).some((name) => now?.[list]?.[name] === undefined)
  return [
    ...(removed('requests') ? [forbidden(`${at}.requests`, 'resource requests cannot be removed')] : []),
    ...(removed('limits') ? [forbidden(`${at}.limits`, 'resource limits cannot be removed')] : []),
  ]
}

/** The container with its cpu and memory as they were. */
function withOldResources(container: Container, old: Container | undefined): Container {
  return { ...container, resources: withOldAmounts(container.resources, old?.resources) }
}

/** Resources with cpu and memory as they were; equal amounts count as unchanged. */
function withOldAmounts({ limits, requests, ...others }: ResourceRequirements = {}, old: ResourceRequirements | undefined): ResourceRequirements {
  const restore = (now: ResourceList | undefined, before: ResourceList | undefined): ResourceList => {
    const { cpu: _cpu, memory: _memory, ...rest } = now ?? {}
    const { cpu, memory } = before ?? {}
    const all: ResourceList = { ...rest, ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) }
    for (const [name, amount] of Object.entries(all)) if (before?.[name] !== undefined && quantity(amount).cmp(quantity(before[name])) === 0) all[name] = before[name]
    return all
  }
  return { ...others, limits: restore(limits, old?.limits), requests: restore(requests, old?.requests) }
}
