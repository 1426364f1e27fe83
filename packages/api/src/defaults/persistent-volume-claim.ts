import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../types/core/v1.ts'
import { canonicalizeResources } from './quantities.ts'

export function defaultPersistentVolumeClaim(claim: PersistentVolumeClaim): void {
  claim.status ??= {}
  claim.status.phase ||= 'Pending'
  defaultClaimSpec((claim.spec ??= {}))
  canonicalizeResources(claim.status.capacity)
  canonicalizeResources(claim.status.allocatedResources)
}

/** A claim's spec wherever it stands: in a claim, a StatefulSet's template, an ephemeral volume. */
export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem'
  canonicalizeResources(spec.resources?.limits)
  canonicalizeResources(spec.resources?.requests)
}
