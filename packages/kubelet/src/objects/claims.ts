import { core } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { isNotFound, type KubeClient } from '@berth/kube'
import { ephemeralClaimProblem } from '@berth/pod-rules'
import { ClaimError, messageOf } from '../errors.ts'

/** The volumes that pods' claims are bound to. */
export interface BoundVolumes {
  /**
   * The volume of a claim of the pod's namespace; `owned` where the claim has to be the pod's own. Once known it is not asked for again while the
   * pod is here: what is bound stays bound, and its source does not change. Throws a ClaimError in upstream's words.
   */
  get(pod: Pod, claim: string, owned: boolean): Promise<PersistentVolume>
  release(uid: string): void
}

function claimProblem(claim: PersistentVolumeClaim): string | undefined {
  if (claim.metadata.deletionTimestamp !== undefined) return 'PVC is being deleted'
  if (claim.status?.phase !== 'Bound') return 'PVC is not bound'
  return claim.spec.volumeName ? undefined : 'PVC has empty pvc.Spec.VolumeName'
}

function volumeProblem({ metadata: { name }, spec: { claimRef } }: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (!claimRef) return `found PV object ${name} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`
  return claimRef.uid === claim.metadata.uid ? undefined : `found PV object ${name} but its pv.Spec.ClaimRef.UID ${claimRef.uid ?? ''} does not point to claim.UID ${claim.metadata.uid ?? ''}`
}

/** Asks the API for each claim and its volume once a pod. */
export function createBoundVolumes(client: KubeClient): BoundVolumes {
  const known = new Map<string, Map<string, PersistentVolume>>()

  const find = async (pod: Pod, name: string, owned: boolean): Promise<PersistentVolume> => {
    const namespace = pod.metadata.namespace ?? ''
    const fail = (why: string, cause?: unknown): never => {
      throw new ClaimError(`error processing PVC ${namespace}/${name}: ${why}`, cause)
    }
    const claim = await client.get(core.persistentvolumeclaims, name, { namespace }).catch((error: unknown) => fail(`failed to fetch PVC from API server: ${messageOf(error)}`, error))
    const problem = claimProblem(claim) ?? (owned ? ephemeralClaimProblem(pod, claim) : undefined)
    if (problem !== undefined) return fail(problem)
    const volumeName = claim.spec.volumeName ?? ''
    const volume = await client.get(core.persistentvolumes, volumeName).catch((error: unknown) =>
      fail(isNotFound(error) ? `failed to fetch PV ${volumeName} from API server: persistentvolumes ${JSON.stringify(volumeName)} not found` : `failed to fetch PV ${volumeName} from API server: ${messageOf(error)}`, error))
    const mismatch = volumeProblem(volume, claim)
    return mismatch === undefined ? volume : fail(mismatch)
  }

  return {
    async get(pod, name, owned) {
      const uid = pod.metadata.uid ?? ''
      const of = known.get(uid) ?? new Map<string, PersistentVolume>()
      known.set(uid, of)
      const volume = of.get(name) ?? await find(pod, name, owned)
      of.set(name, volume)
      return volume
    },
    release: (uid) => void known.delete(uid),
  }
}
