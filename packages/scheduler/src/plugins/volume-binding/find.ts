import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { CSIStorageCapacity } from '@berth/api/types/storage/v1'
import { claimClass, claimSize, findMatchingVolume, noProvisioner, topologyTermsMatch, volumeAffinityMatches, volumeAnnotations } from '@berth/pod-rules'
import type { NodeInfo } from '../../framework/node-info.ts'
import { roomFor } from './capacity.ts'
import { translatedForNode } from './csi-migration.ts'
import type { StorageObjects } from './objects.ts'
import type { PodClaims } from './pod-claims.ts'

/** What would be done for a pod's late claims on one node. */
export interface PodVolumes {
  readonly bindings: ReadonlyArray<{ readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }>
  readonly provisions: ReadonlyArray<{ readonly claim: PersistentVolumeClaim; readonly capacity?: CSIStorageCapacity }>
}

/** Upstream's reasons, in the order in which they are told. */
const reasons = {
  affinity: "node(s) didn't match PersistentVolume's node affinity",
  noMatch: "node(s) didn't find available persistent volumes to bind",
  noSpace: 'node(s) did not have enough free storage',
  volumeGone: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const

/** Whether the node reaches the volumes of bound claims: the first one that it does not, or that is gone, decides. */
function checkBound(claims: readonly PersistentVolumeClaim[], node: NodeInfo, objects: StorageObjects): string | undefined {
  const csiNode = objects.csiNode(node.name)
  for (const claim of claims) {
    const volume = objects.volume(claim.spec.volumeName ?? '')
    if (!volume) return reasons.volumeGone
    if (!volumeAffinityMatches(translatedForNode(volume, csiNode), node.labels)) return reasons.affinity
  }
  return undefined
}

/** The volumes there are for the claims, smallest claim first, and the claims that are left. */
function matchVolumes(claims: readonly PersistentVolumeClaim[], volumes: PodClaims['volumes'], node: NodeInfo): { bindings: PodVolumes['bindings']; left: PersistentVolumeClaim[] } {
  const taken = new Set<string>()
  const bindings: Array<{ claim: PersistentVolumeClaim; volume: PersistentVolume }> = []
  const left: PersistentVolumeClaim[] = []
  for (const claim of claims.toSorted((a, b) => claimSize(a).cmp(claimSize(b)))) {
    const volume = findMatchingVolume(claim, volumes.get(claimClass(claim)) ?? [], { nodeLabels: node.labels, taken, bindsLate: true })
    if (!volume) {
      left.push(claim)
      continue
    }
    taken.add(volume.metadata.name)
    bindings.push({ claim, volume })
  }
  return { bindings, left }
}

/** The volumes that could be made for the claims in reach of the node, or why not. Throws where a claim's class is not there. */
function planProvisions(claims: readonly PersistentVolumeClaim[], node: NodeInfo, objects: StorageObjects): PodVolumes['provisions'] | string {
  const provisions: Array<{ claim: PersistentVolumeClaim; capacity?: CSIStorageCapacity }> = []
  for (const claim of claims) {
    const name = claimClass(claim)
    if (name === '') throw new Error(`no class for claim ${JSON.stringify(`${claim.metadata.namespace ?? ''}/${claim.metadata.name}`)}`)
    const storageClass = objects.class(name)
    if (!storageClass) throw new Error(`failed to find storage class ${JSON.stringify(name)}`)
    if (storageClass.provisioner === '' || storageClass.provisioner === noProvisioner) return reasons.noMatch
    if (!topologyTermsMatch(storageClass.allowedTopologies, node.labels)) return reasons.noMatch
    const room = roomFor(claim, storageClass, node, objects)
    if (!room.enough) return reasons.noSpace
    provisions.push({ claim, ...(room.in ? { capacity: room.in } : {}) })
  }
  return provisions
}

/** What a pod's claims need on the node; the reasons why they cannot have it there (upstream: FindPodVolumes). */
export function findPodVolumes(claims: PodClaims, node: NodeInfo, objects: StorageObjects): PodVolumes | readonly string[] {
  const problems: string[] = []
  const bound = checkBound(claims.bound, node, objects)
  // The words come in upstream's order, where a vanished volume is told last.
  if (bound === reasons.affinity) problems.push(bound)
  const plan = planLate(claims, node, objects)
  if (typeof plan === 'string') problems.push(plan)
  if (bound === reasons.volumeGone) problems.push(bound)
  return typeof plan === 'string' || problems.length > 0 ? problems : plan
}

function planLate({ late, volumes }: PodClaims, node: NodeInfo, objects: StorageObjects): PodVolumes | string {
  const chosen = (claim: PersistentVolumeClaim): string | undefined => claim.metadata.annotations?.[volumeAnnotations.selectedNode]
  // A volume is already being made for the sake of a node: it is that one.
  if (late.some((claim) => chosen(claim) !== undefined && chosen(claim) !== node.name)) return reasons.noMatch
  const { bindings, left } = matchVolumes(late.filter((claim) => chosen(claim) === undefined), volumes, node)
  const provisions = planProvisions([...late.filter((claim) => chosen(claim) !== undefined), ...left], node, objects)
  return typeof provisions === 'string' ? provisions : { bindings, provisions }
}
