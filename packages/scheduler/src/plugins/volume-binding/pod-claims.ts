import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { bindsLate, claimClass, ephemeralClaimProblem, isClaimBound, volumeClass } from '@berth/pod-rules'
import { claimUses, notFound, type StorageObjects } from './objects.ts'

/** A pod's claims by what has to be done for them. */
export interface PodClaims {
  readonly bound: readonly PersistentVolumeClaim[]
  /** Bound only now that a pod wants them; smallest first is the finder's business. */
  readonly late: readonly PersistentVolumeClaim[]
  /** Bound by the binder, without regard to pods; it has not done so yet. */
  readonly immediate: readonly PersistentVolumeClaim[]
  /** The volumes that late claims may get, by class. */
  readonly volumes: ReadonlyMap<string, readonly PersistentVolume[]>
}

const quoted = (text: string): string => JSON.stringify(text)

/** Why no node will do for the pod before its claims change; undefined where nothing is wrong with them. */
export function claimProblem(pod: Pod, objects: StorageObjects): string | undefined {
  for (const { name, ephemeral } of claimUses(pod)) {
    const claim = objects.claim(pod.metadata.namespace ?? 'default', name)
    if (!claim) return ephemeral ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted(name)}` : notFound.claim(name)
    if (claim.status?.phase === 'Lost') return `persistentvolumeclaim ${quoted(name)} bound to non-existent persistentvolume ${quoted(claim.spec.volumeName ?? '')}`
    if (claim.metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim ${quoted(name)} is being deleted`
    const problem = ephemeral ? ephemeralClaimProblem(pod, claim) : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Sorts a pod's claims. Throws for a class that does not say when to bind. */
export function sortClaims(pod: Pod, objects: StorageObjects): PodClaims {
  const bound: PersistentVolumeClaim[] = []
  const late: PersistentVolumeClaim[] = []
  const immediate: PersistentVolumeClaim[] = []
  const seen = new Set<string>()
  for (const { name } of claimUses(pod)) {
    const claim = objects.claim(pod.metadata.namespace ?? 'default', name)
    if (!claim || seen.has(name)) continue
    seen.add(name)
    if (isClaimBound(claim)) bound.push(claim)
    else if ((claim.spec.volumeName ?? '') === '' && bindsLate(claim, objects.class)) late.push(claim)
    else immediate.push(claim)
  }
  return { bound, late, immediate, volumes: volumesFor(late, objects) }
}

function volumesFor(claims: readonly PersistentVolumeClaim[], objects: StorageObjects): Map<string, PersistentVolume[]> {
  const volumes = new Map<string, PersistentVolume[]>(claims.map((claim) => [claimClass(claim), []]))
  if (volumes.size > 0) for (const volume of objects.volumes()) volumes.get(volumeClass(volume))?.push(volume)
  return volumes
}
