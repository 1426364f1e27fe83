import type { Pod } from '@berth/api/types/core/v1'
import { forbidden, type StatusError } from '../errors.ts'
import type { AdmissionAttributes } from '../interfaces.ts'

/** The annotation of pods that a kubelet shows for its static pods. */
export const mirrorPodAnnotation = 'kubernetes.io/config.mirror'

/** The pod that a request creates or changes; undefined for other resources and for subresources. */
export function podOf(attributes: AdmissionAttributes): Pod | undefined {
  return attributes.resource.group === '' && attributes.resource.resource === 'pods' && attributes.subresource === '' ? attributes.object as unknown as Pod | undefined : undefined
}

/** Admission's refusal of a request, worded as upstream's admission.NewForbidden. */
export function refuse(attributes: AdmissionAttributes, why: string): StatusError {
  const name = attributes.name || attributes.object?.metadata?.name || (attributes.object?.metadata?.generateName ? 'Unknown' : '')
  return forbidden(attributes.resource, name, why)
}
