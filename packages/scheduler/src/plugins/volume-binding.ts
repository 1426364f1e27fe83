import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { boundToClaim, isClaimBound, volumeAnnotations } from '@berth/pod-rules'
import type { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable } from '../framework/status.ts'
import type { PluginContext } from './registry.ts'
import { AssumedObjects } from './volume-binding/assumed.ts'
import { bindVolumes, type Reserved } from './volume-binding/bind.ts'
import { findPodVolumes, type PodVolumes } from './volume-binding/find.ts'
import { volumeBindingEvents } from './volume-binding/hints.ts'
import { claimUses, storageObjects, type StorageObjects } from './volume-binding/objects.ts'
import { claimProblem, sortClaims, type PodClaims } from './volume-binding/pod-claims.ts'
import { defaultShape, storageScore, type ShapePoint } from './volume-binding/score.ts'

/** VolumeBindingArgs (kubescheduler.config.k8s.io/v1). */
export interface VolumeBindingArgs {
  /** How long a pod waits for its volumes to be bound; 600 where absent. */
  readonly bindTimeoutSeconds?: number
  /** Only with the gate StorageCapacityScoring. */
  readonly shape?: readonly ShapePoint[]
}

const stateKey = 'VolumeBinding'

interface State {
  readonly claims: PodClaims
  readonly objects: StorageObjects
  readonly byNode: Map<string, PodVolumes>
  reserved?: Reserved
}

const keyOfClaim = ({ metadata }: PersistentVolumeClaim): string => `${metadata.namespace ?? ''}/${metadata.name}`

/**
 * Finds nodes that reach a pod's volumes, and volumes for claims that waited for it: existing ones, or ones to be made
 * where the node is. What it decided counts at once; the API hears of it in preBind, and the pod is bound when its volumes are.
 */
export function volumeBinding(context: Pick<PluginContext, 'args' | 'client' | 'clock' | 'gates' | 'snapshot'>): Plugin {
  const args = context.args.VolumeBinding ?? {}
  const timeoutMs = (args.bindTimeoutSeconds ?? 600) * 1000
  const scoring = context.gates.enabled('StorageCapacityScoring')
  const shape = args.shape && args.shape.length > 0 ? args.shape : defaultShape
  const volumes = new AssumedObjects<PersistentVolume>()
  const claims = new AssumedObjects<PersistentVolumeClaim>()

  /** A snapshot's objects with what was decided and is not written yet. */
  const withAssumed = (snapshot: Snapshot): StorageObjects => {
    const api = storageObjects(snapshot)
    return {
      ...api,
      claim: (namespace, name) => claims.current(`${namespace}/${name}`, api.claim(namespace, name)),
      volume: (name) => volumes.current(name, api.volume(name)),
      * volumes() {
        for (const volume of api.volumes()) yield volumes.current(volume.metadata.name, volume) ?? volume
      },
    }
  }

  /** What a node was found to have for the pod; found again, where that was not kept. */
  const volumesOn = (state: State, node: NodeInfo): PodVolumes | readonly string[] => state.byNode.get(node.name) ?? findPodVolumes(state.claims, node, state.objects)

  /** Counts volumes as taken and claims as placed. */
  const assume = ({ bindings, provisions }: PodVolumes, nodeName: string): Reserved => ({
    bindings: bindings.map(({ claim, volume }) => {
      const bound = boundToClaim(volume, claim)
      if (bound !== volume) volumes.assume(volume.metadata.name, bound, volume)
      return { claim, volume: bound }
    }),
    provisions: provisions.map(({ claim }) => {
      const placed = { ...claim, metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [volumeAnnotations.selectedNode]: nodeName } } }
      claims.assume(keyOfClaim(claim), placed, claim)
      return placed
    }),
  })

  const restore = (reserved: Reserved): void => {
    for (const { volume } of reserved.bindings) volumes.restore(volume.metadata.name)
    for (const claim of reserved.provisions) claims.restore(keyOfClaim(claim))
  }

  const stateOf = (cycle: CycleState): State | undefined => cycle.read<State>(stateKey)
  const allBound = ({ pod }: PodInfo, objects: StorageObjects): boolean => claimUses(pod).every(({ name }) => {
    const claim = objects.claim(pod.metadata.namespace ?? 'default', name)
    return claim !== undefined && isClaimBound(claim)
  })

  return {
    name: 'VolumeBinding',
    sign: ({ pod }) => (claimUses(pod).length === 0 ? '' : undefined),
    events: () => volumeBindingEvents,
    preFilter(cycle, { pod }, snapshot) {
      if (claimUses(pod).length === 0) return { status: skip }
      const objects = withAssumed(snapshot)
      const problem = claimProblem(pod, objects)
      if (problem !== undefined) return { status: unresolvable(problem) }
      const sorted = sortClaims(pod, objects)
      if (sorted.immediate.length > 0) return { status: unresolvable('pod has unbound immediate PersistentVolumeClaims') }
      cycle.write(stateKey, { claims: sorted, objects, byNode: new Map() } satisfies State)
      return undefined
    },
    filter(cycle, _pod, node) {
      const state = stateOf(cycle)
      if (!state) return undefined
      const found = findPodVolumes(state.claims, node, state.objects)
      if (!('bindings' in found)) return unresolvable(...found)
      state.byNode.set(node.name, found)
      return undefined
    },
    preScore(cycle) {
      return scoring && stateOf(cycle) ? undefined : skip
    },
    score(cycle, _pod, node) {
      const state = stateOf(cycle)
      const found = state && volumesOn(state, node)
      return found && 'bindings' in found ? storageScore(found, shape) : 0
    },
    reserve(cycle, pod, nodeName) {
      const state = stateOf(cycle)
      const node = context.snapshot().node(nodeName)
      if (!state || (state.claims.late.length === 0 && allBound(pod, state.objects))) return undefined
      const found = state.byNode.get(nodeName) ?? (node && findPodVolumes(state.claims, node, state.objects))
      if (!found) throw new Error(`no pod volumes found for node ${JSON.stringify(nodeName)}`)
      if (!('bindings' in found)) return unresolvable(...found)
      state.reserved = assume(found, nodeName)
      return undefined
    },
    unreserve(cycle) {
      const state = stateOf(cycle)
      if (!state?.reserved) return
      restore(state.reserved)
      delete state.reserved
    },
    preBindSkips: (cycle) => stateOf(cycle)?.reserved === undefined,
    async preBind(cycle, pod, nodeName, signal) {
      const reserved = stateOf(cycle)?.reserved
      if (!reserved) return undefined
      const { client, clock } = context
      if (!client) throw new Error('VolumeBinding has no client to bind volumes with')
      await bindVolumes(pod, nodeName, reserved, { client, clock, timeoutMs, snapshot: context.snapshot }, signal)
      return undefined
    },
  }
}
