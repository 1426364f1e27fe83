import type { ObjectReference, Pod } from '@berth/api/types/core/v1'
import { findContainer } from '../pods/containers.ts'

/** The pod, as events refer to it. */
export const podReference = (pod: Pod): ObjectReference => ({
  apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, namespace: pod.metadata.namespace ?? '', uid: pod.metadata.uid ?? '',
  ...(pod.metadata.resourceVersion ? { resourceVersion: pod.metadata.resourceVersion } : {}),
})

const listNames = { init: 'initContainers', container: 'containers', ephemeral: 'ephemeralContainers' } as const

/** One of its containers, as events refer to it: spec.containers{name}. */
export function containerReference(pod: Pod, name: string): ObjectReference {
  const found = findContainer(pod, name)
  return { ...podReference(pod), fieldPath: found ? `spec.${listNames[found.kind]}{${name}}` : `spec.containers{${name}}` }
}
