import { core } from '@berth/api'
import type { StatefulSet } from '@berth/api/types/apps/v1'
import type { PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { errorText, isAlreadyExists, isConflict, isNotFound, type EventRecorder, type Informer, type KubeClient } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { claimsOf, hasIdentity, hasStorage, inRange, ordinalOf, withIdentity, withStorage } from './identity.ts'
import { claimOwners, hasConflictingController, isStaleClaim } from './retention.ts'
import { isPodTerminal } from '../common/pods.ts'

export interface Hands {
  client: KubeClient
  recorder: EventRecorder
  claims: Informer<PersistentVolumeClaim>
}

/** Creates a pod after its claims; gives false where it must wait for claims that are going away. */
export async function createReplica(hands: Hands, set: StatefulSet, pod: Pod): Promise<boolean> {
  for (const { claim } of claimsOf(set, ordinalOf(pod))) {
    const known = hands.claims.store.get(`${claim.metadata.namespace}/${claim.metadata.name}`)
    if (known !== undefined && isStaleClaim(known, pod)) return false
  }
  await createClaims(hands, set, pod)
  await told(hands, set, 'create', `Pod ${pod.metadata.name}`, () => hands.client.create(core.pods, pod))
  return true
}

/** Brings identity, volumes and claims' owners to what they should be. */
export async function repairReplica(hands: Hands, set: StatefulSet, pod: Pod): Promise<void> {
  if (inRange(set, pod) && !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined && (pod.status?.phase ?? 'Pending') === 'Pending') await createClaims(hands, set, pod)
  await ownClaims(hands, set, pod)
  if (hasIdentity(pod) && hasStorage(set, pod)) return
  const right = withStorage(set, withIdentity(pod))
  await told(hands, set, 'update', `Pod ${pod.metadata.name}`, () => hands.client.update(core.pods, right))
}

export async function deleteReplica(hands: Hands, set: StatefulSet, pod: Pod): Promise<void> {
  const { name, namespace, uid } = pod.metadata
  // First said who goes with it, then let go: the garbage collector acts on the pod's end.
  await ownClaims(hands, set, pod)
  await told(hands, set, 'delete', `Pod ${name}`, () => hands.client.delete(core.pods, name, { namespace, preconditions: { uid } }).catch(ignore(isNotFound, isConflict)))
}

async function createClaims(hands: Hands, set: StatefulSet, pod: Pod): Promise<void> {
  for (const { claim } of claimsOf(set, ordinalOf(pod))) {
    const { name, namespace } = claim.metadata
    const known = hands.claims.store.get(`${namespace}/${name}`)
    if (known?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`)
    if (known !== undefined) continue
    const owners = claimOwners(set, pod, claim)
    const wanted = owners === undefined ? claim : { ...claim, metadata: { ...claim.metadata, ownerReferences: owners } }
    await told(hands, set, 'create', `Claim ${name} Pod ${pod.metadata.name}`, () => hands.client.create(core.persistentvolumeclaims, wanted).catch(ignore(isAlreadyExists)))
  }
}

async function ownClaims(hands: Hands, set: StatefulSet, pod: Pod): Promise<void> {
  for (const { claim } of claimsOf(set, ordinalOf(pod))) {
    const known = hands.claims.store.get(`${claim.metadata.namespace}/${claim.metadata.name}`)
    if (known === undefined || known.metadata.deletionTimestamp !== undefined) continue
    if (hasConflictingController(set, pod, known)) {
      hands.recorder.event(set, 'Warning', 'ConflictingController', `PersistentVolumeClaim ${known.metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`)
    }
    const ownerReferences = claimOwners(set, pod, known)
    if (ownerReferences !== undefined) await hands.client.update(core.persistentvolumeclaims, { ...known, metadata: { ...known.metadata, ownerReferences } })
  }
}

/** Does it, and tells of it as upstream does. */
async function told(hands: Hands, set: StatefulSet, verb: 'create' | 'update' | 'delete', what: string, act: () => Promise<unknown>): Promise<void> {
  const Verb = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`
  try {
    await act()
    hands.recorder.event(set, 'Normal', `Successful${Verb}`, `${verb} ${what} in StatefulSet ${set.metadata.name} successful`)
  } catch (error) {
    // The informer is behind: seen again when it has caught up.
    if (!isAlreadyExists(error) && !isConflict(error)) hands.recorder.event(set, 'Warning', `Failed${Verb}`, `${verb} ${what} in StatefulSet ${set.metadata.name} failed error: ${errorText(error)}`)
    throw error
  }
}
