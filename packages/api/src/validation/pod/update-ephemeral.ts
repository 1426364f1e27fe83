import type { Pod } from '../../types/core/v1.ts'
import { sameValue } from '../common.ts'
import { forbidden } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { internalDiff } from '../internal/diff.ts'
import { toInternal } from '../internal/forms.ts'
import { checkMetaUpdate } from '../object-meta.ts'
import { checkPodAnnotationsUpdate, mirrorAnnotation } from './annotations.ts'

/** Ephemeral containers are added, never changed or taken away. */
export function checkEphemeralContainersUpdate(pod: Pod, old: Pod, whole: readonly FieldError[]): FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbidden('[]', 'static pods do not support ephemeral containers')]
  const errors = [...checkMetaUpdate(pod.metadata, old.metadata), ...whole, ...checkPodAnnotationsUpdate(pod, old, 'metadata.annotations')]
  for (const before of old.spec.ephemeralContainers ?? []) {
    const now = pod.spec.ephemeralContainers?.find((container) => container.name === before.name)
    if (!now) errors.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers "${before.name}" may not be removed\n`))
    else if (!sameValue(before, now)) {
      const diff = internalDiff(toInternal('EphemeralContainer', before), toInternal('EphemeralContainer', now))
      errors.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers "${before.name}" may not be changed\n${diff}`))
    }
  }
  return errors
}
