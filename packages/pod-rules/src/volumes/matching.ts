import { labelSelectorMatcher, parseQuantity, type Quantity } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim, TopologySelectorTerm } from '@berth/api/types/core/v1'
import { nodeSelectorTermMatches } from '../node-selector.ts'
import { claimClass, volumeAnnotations, volumeClass } from './claims.ts'

type NodeLabels = Readonly<Record<string, string>>

/** Whether a volume can be reached from a node of these labels. Names are not compared: a volume's affinity is about labels alone. */
export function volumeAffinityMatches(volume: PersistentVolume, labels: NodeLabels): boolean {
  const required = volume.spec.nodeAffinity?.required
  if (!required) return true
  const node = { metadata: { name: '', labels } }
  return required.nodeSelectorTerms.some((term) => nodeSelectorTermMatches(term, node))
}

/** Whether a node of these labels is in one of the topologies; in any, where none are named. A term without requirements matches nothing. */
export function topologyTermsMatch(terms: readonly TopologySelectorTerm[] | undefined, labels: NodeLabels): boolean {
  if (!terms || terms.length === 0) return true
  return terms.some(({ matchLabelExpressions = [] }) => matchLabelExpressions.length > 0 && matchLabelExpressions.every(({ key, values }) => {
    const value = labels[key]
    return value !== undefined && values.includes(value)
  }))
}

/** Whether a volume refers to a claim: by name, and by uid where it says one. */
export function refersToClaim({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return (claimRef.uid ?? '') === '' || claimRef.uid === metadata.uid
}

const zero = parseQuantity('0')

/** What a claim asks for. */
export function claimSize(claim: PersistentVolumeClaim): Quantity {
  const size = claim.spec.resources?.requests?.['storage']
  return size === undefined ? zero : parseQuantity(size)
}

export function volumeSize(volume: PersistentVolume): Quantity {
  const size = volume.spec.capacity?.['storage']
  return size === undefined ? zero : parseQuantity(size)
}

export function volumeModesDiffer(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec.volumeMode ?? 'Filesystem') !== (volume.spec.volumeMode ?? 'Filesystem')
}

/** Whether a volume has all of a claim's access modes. */
export function hasAccessModes(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode))
}

/** Who looks for a volume, and how. */
export interface MatchOptions {
  /** The labels of the node that is to reach the volume: the scheduler. The binder names none, and compares access modes itself. */
  readonly nodeLabels?: NodeLabels
  /** Volumes that are spoken for. */
  readonly taken?: ReadonlySet<string>
  /** The claim waits for a pod: without a node, only a volume that is bound to it already will do. */
  readonly bindsLate?: boolean
}

/**
 * The volume for a claim: the one that refers to it, else the smallest available one that is large enough and of the same class, mode, attributes class
 * and labels (upstream: FindMatchingVolume). Of equals the first one is taken.
 */
export function findMatchingVolume(claim: PersistentVolumeClaim, volumes: Iterable<PersistentVolume>, options: MatchOptions): PersistentVolume | undefined {
  const { nodeLabels } = options
  const wanted = claimSize(claim)
  const className = claimClass(claim)
  const selected = claim.spec.selector ? labelSelectorMatcher(claim.spec.selector) : () => true
  let best: { volume: PersistentVolume; size: Quantity } | undefined
  for (const volume of volumes) {
    if (options.taken?.has(volume.metadata.name)) continue
    const own = refersToClaim(volume, claim)
    if (volume.spec.claimRef && !own) continue
    const size = volumeSize(volume)
    if (size.cmp(wanted) < 0 || volumeModesDiffer(claim, volume) || volume.metadata.deletionTimestamp !== undefined) continue
    if ((claim.spec.volumeAttributesClassName ?? '') !== (volume.spec.volumeAttributesClassName ?? '')) continue
    const reachable = nodeLabels === undefined || volumeAffinityMatches(volume, nodeLabels)
    // It is this one or none.
    if (own) return reachable ? volume : undefined
    if (nodeLabels === undefined && options.bindsLate) continue
    if (volume.status?.phase !== 'Available' || volumeClass(volume) !== className || !reachable || !selected(volume.metadata.labels)) continue
    if (nodeLabels !== undefined && !hasAccessModes(claim, volume)) continue
    if (!best || best.size.cmp(size) > 0) best = { volume, size }
  }
  return best?.volume
}

/** The volume as it has to be for the claim: its reference, with uid, and who chose it. The same object where nothing is to be done. */
export function boundToClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace, uid, resourceVersion } = claim.metadata
  const chosenHere = !refersToClaim(volume, claim)
  const ref = volume.spec.claimRef
  const complete = ref !== undefined && ref.name === name && ref.namespace === namespace && ref.uid === uid
  const annotate = chosenHere && volume.metadata.annotations?.[volumeAnnotations.boundByController] === undefined
  if (complete && !annotate) return volume
  return {
    ...volume,
    metadata: annotate ? { ...volume.metadata, annotations: { ...volume.metadata.annotations, [volumeAnnotations.boundByController]: 'yes' } } : volume.metadata,
    spec: complete ? volume.spec : { ...volume.spec, claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) } },
  }
}
