import type { PodSpec, PodTemplateSpec } from '../../types/core/v1.ts'
import { child } from '../common.ts'
import { forbidden } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { checkAnnotations, checkLabels } from '../object-meta.ts'
import { checkPodAnnotations, checkProfilesMatch } from './annotations.ts'
import { checkPodSpec } from './spec.ts'

/** A pod template of a workload. */
export function checkPodTemplate(template: PodTemplateSpec | undefined, at: string, allowPrivileged: boolean): FieldError[] {
  const meta = template?.metadata ?? { name: '' }
  const spec: PodSpec = template?.spec ?? { containers: [] }
  return [
    ...checkLabels(child(at, 'labels'), meta.labels),
    ...checkAnnotations(child(at, 'annotations'), meta.annotations),
    ...checkPodAnnotations(meta.annotations, spec, child(at, 'annotations')),
    ...checkPodSpec(spec, undefined, child(at, 'spec'), { isPod: false, allowPrivileged }),
    ...checkProfilesMatch(meta, spec, child(at, 'spec')),
    ...(spec.ephemeralContainers?.length ? [forbidden(`${at}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')] : []),
  ]
}
