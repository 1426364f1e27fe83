import { core } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { sleep, type Clock, type KubeClient } from '@berth/kube'
import { isClaimBound, volumeAffinityMatches, volumeAnnotations } from '@berth/pod-rules'
import type { NodeInfo } from '../../framework/node-info.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import type { Snapshot } from '../../framework/snapshot.ts'
import { translatedForNode } from './csi-migration.ts'
import { storageObjects } from './objects.ts'

/** How often the cluster is asked whether claims are bound; milliseconds. It is our own memory that is asked. */
const pollMs = 100

/** What was reserved: volumes with the claim they are for, claims with the node they are for. After writing: as the API has them. */
export interface Reserved {
  readonly bindings: Array<{ readonly claim: PersistentVolumeClaim; volume: PersistentVolume }>
  readonly provisions: PersistentVolumeClaim[]
}

interface BindOptions {
  readonly client: KubeClient
  readonly clock: Clock
  readonly timeoutMs: number
  snapshot(): Snapshot
}

/** Writes what was reserved. What the API has changed since is a conflict, and the pod is decided on again. */
async function writeReserved(reserved: Reserved, client: KubeClient): Promise<void> {
  for (const binding of reserved.bindings) {
    const { metadata: { name, resourceVersion, annotations = {} }, spec: { claimRef } } = binding.volume
    const chosen = annotations[volumeAnnotations.boundByController]
    const body = { metadata: { resourceVersion, ...(chosen === undefined ? {} : { annotations: { [volumeAnnotations.boundByController]: chosen } }) }, spec: { claimRef } }
    binding.volume = await client.patch(core.persistentvolumes, name, { type: 'merge', body })
  }
  for (const [i, claim] of reserved.provisions.entries()) {
    const { name, namespace, resourceVersion, annotations = {} } = claim.metadata
    const body = { metadata: { resourceVersion, annotations: { [volumeAnnotations.selectedNode]: annotations[volumeAnnotations.selectedNode] } } }
    reserved.provisions[i] = await client.patch(core.persistentvolumeclaims, name, { type: 'merge', body }, { ...(namespace === undefined ? {} : { namespace }) })
  }
}

/** Whether what we hold is newer than what has reached us from the API. */
function isOlder(seen: { metadata: { resourceVersion?: string } }, ours: { metadata: { resourceVersion?: string } }): boolean {
  return BigInt(seen.metadata.resourceVersion ?? 0) < BigInt(ours.metadata.resourceVersion ?? 0)
}

/** Whether everything is bound by now. Throws where it cannot be any more, and the pod has to look for another place. */
function checkBound(pod: PodInfo, node: NodeInfo | undefined, nodeName: string, reserved: Reserved, snapshot: Snapshot): boolean {
  if (!node) throw new Error(`failed to get node ${JSON.stringify(nodeName)}: node ${JSON.stringify(nodeName)} not found`)
  if (!node.pods.has(pod.key)) throw new Error(`pod does not exist any more: pod ${JSON.stringify(pod.pod.metadata.name)} not found`)
  const objects = storageObjects(snapshot)
  const csiNode = objects.csiNode(nodeName)
  const claimNow = ({ metadata }: PersistentVolumeClaim, doing: string): PersistentVolumeClaim => {
    const found = objects.claim(metadata.namespace ?? '', metadata.name)
    if (!found) throw new Error(`failed to check ${doing}: could not find v1.PersistentVolumeClaim "${metadata.namespace ?? ''}/${metadata.name}"`)
    return found
  }
  const checkReach = (volume: PersistentVolume): void => {
    if (volumeAffinityMatches(translatedForNode(volume, csiNode), node.labels)) return
    throw new Error(`pv ${JSON.stringify(volume.metadata.name)} node affinity doesn't match node ${JSON.stringify(nodeName)}: no matching NodeSelectorTerms`)
  }
  for (const { claim, volume: ours } of reserved.bindings) {
    const volume = objects.volume(ours.metadata.name)
    if (!volume) throw new Error(`failed to check binding: could not find v1.PersistentVolume ${JSON.stringify(ours.metadata.name)}`)
    const now = claimNow(claim, 'binding')
    if (isOlder(volume, ours)) return false
    checkReach(volume)
    if ((volume.spec.claimRef?.uid ?? '') === '') throw new Error(`ClaimRef got reset for pv ${JSON.stringify(volume.metadata.name)}`)
    if (!isClaimBound(now)) return false
  }
  for (const ours of reserved.provisions) {
    const now = claimNow(ours, 'provisioning pvc')
    if (isOlder(now, ours)) return false
    // A provisioner that cannot make the volume takes the node back: another one may do.
    if (now.metadata.annotations?.[volumeAnnotations.selectedNode] !== nodeName) throw new Error(`provisioning failed for PVC ${JSON.stringify(now.metadata.name)}`)
    const volumeName = now.spec.volumeName ?? ''
    if (volumeName !== '') {
      const volume = objects.volume(volumeName)
      if (!volume) return false
      checkReach(volume)
    }
    if (!isClaimBound(now)) return false
  }
  return true
}

/** Writes what was reserved and waits until the binder and the provisioners have done their part. Throws `binding volumes: ...`. */
export async function bindVolumes(pod: PodInfo, nodeName: string, reserved: Reserved, options: BindOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, timeoutMs } = options
  await writeReserved(reserved, client)
  const end = clock.now() + timeoutMs
  try {
    for (;;) {
      const snapshot = options.snapshot()
      if (checkBound(pod, snapshot.node(nodeName), nodeName, reserved, snapshot)) return
      if (clock.now() >= end) throw new Error('context deadline exceeded')
      await sleep(clock, pollMs, signal)
    }
  } catch (error) {
    throw new Error(`binding volumes: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
