import type { Pod } from '../types/core/v1.ts'
import { forbidden } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'
import { checkPodAnnotations, checkProfilesMatch } from './pod/annotations.ts'
import { checkImagePadding } from './pod/containers.ts'
import { checkPodSpec } from './pod/spec.ts'
import { checkEphemeralContainersUpdate } from './pod/update-ephemeral.ts'
import { checkPodResize } from './pod/update-resize.ts'
import { checkPodSpecUpdate } from './pod/update-spec.ts'
import { checkPodStatusUpdate } from './pod/update-status.ts'

/** Metadata and spec, on creation and on each update. */
export function checkPod(pod: Pod, { allowPrivileged }: ValidationOptions): FieldError[] {
  const { metadata, spec } = pod
  const errors = [
    ...checkMeta(metadata, true, nameIsDnsSubdomain),
    ...checkPodAnnotations(metadata.annotations, spec, 'metadata.annotations'),
    ...checkPodSpec(spec, metadata, 'spec', { isPod: true, allowPrivileged }),
  ]
  if (!spec.serviceAccountName) {
    spec.volumes?.forEach((volume, i) => volume.projected?.sources?.forEach((source, j) => {
      if (source.serviceAccountToken) errors.push(forbidden(`spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`, 'must not be specified when serviceAccountName is not set'))
    }))
  }
  for (const list of ['containers', 'initContainers'] as const) spec[list]?.forEach((container, i) => errors.push(...checkImagePadding(container, `spec.${list}[${i}]`)))
  return errors
}

export const podValidation: KindValidation<Pod> = {
  namespaced: true,
  create(pod, options) {
    const { metadata, spec } = pod
    const errors = checkPod(pod, options)
    if (spec.ephemeralContainers?.length) errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
    if (spec.nodeName && spec.schedulingGates?.length) errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
    return [...errors, ...checkProfilesMatch(metadata, spec, 'spec')]
  },
  update(pod, old, subresource, options) {
    switch (subresource) {
      case 'status': return checkPodStatusUpdate(pod, old)
      case 'ephemeralcontainers': return checkEphemeralContainersUpdate(pod, old, checkPod(pod, options))
      case 'resize': return checkPodResize(pod, old, checkPod(pod, options))
      default: return checkPodSpecUpdate(pod, old, checkPod(pod, options))
    }
  },
}
