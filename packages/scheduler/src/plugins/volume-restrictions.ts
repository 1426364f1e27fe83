import type { PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable, unschedulable } from '../framework/status.ts'
import { changeOf } from './volume-binding/hints.ts'
import { notFound, storageObjects } from './volume-binding/objects.ts'

const stateKey = 'VolumeRestrictions'

const reasons = {
  disk: 'node(s) had no available disk',
  readWriteOncePod: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
} as const

/** What a pod's own ReadWriteOncePod claims came to; `inUse` follows pods that are tried out or taken away. */
interface State {
  readonly namespace: string
  readonly claims: ReadonlySet<string>
  inUse: number
}

const isExclusiveDisk = (volume: Volume): boolean => (volume.gcePersistentDisk ?? volume.awsElasticBlockStore ?? volume.rbd ?? volume.iscsi) !== undefined

/** Whether two volumes are the same disk, which cannot be mounted twice on a node (or only where both merely read). */
function disksConflict(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    return a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName && !(a.gcePersistentDisk.readOnly && b.gcePersistentDisk.readOnly)
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly)
  if (a.rbd && b.rbd) {
    const others = b.rbd.monitors
    const same = (a.rbd.pool ?? 'rbd') === (b.rbd.pool ?? 'rbd') && a.rbd.image === b.rbd.image && a.rbd.monitors.some((monitor) => others.includes(monitor))
    return same && !(a.rbd.readOnly && b.rbd.readOnly)
  }
  return false
}

function podsConflict(pod: Pod, other: Pod): boolean {
  return (pod.spec.volumes ?? []).some((volume) => isExclusiveDisk(volume) && other.spec.volumes?.some((taken) => disksConflict(volume, taken)))
}

const claimNames = ({ spec }: Pod): string[] => (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => (persistentVolumeClaim ? [persistentVolumeClaim.claimName] : []))

/** How many of a pod's volumes are claims of the state's. */
function uses(state: State, other: PodInfo): number {
  return other.namespace === state.namespace ? claimNames(other.pod).filter((name) => state.claims.has(name)).length : 0
}

/** How many of the claims some pod of the cluster uses. */
function claimsInUse(namespace: string, claims: ReadonlySet<string>, snapshot: Snapshot): number {
  if (claims.size === 0) return 0
  const used = new Set<string>()
  for (const node of snapshot.nodes) {
    for (const other of node.pods.values()) {
      if (other.namespace === namespace) for (const name of claimNames(other.pod)) if (claims.has(name)) used.add(name)
    }
  }
  return used.size
}

/** Keeps disks that only one pod of a node may have, and claims that only one pod at all may have (ReadWriteOncePod), from being shared. */
export function volumeRestrictions(): Plugin {
  return {
    name: 'VolumeRestrictions',
    sign: ({ pod }) => (pod.spec.volumes?.some((volume) => isExclusiveDisk(volume) || volume.persistentVolumeClaim !== undefined) ? undefined : ''),
    events: () => [
      {
        event: 'AssignedPodDeleted',
        helps({ pod, namespace }, change) {
          const { old } = changeOf<Pod>(change)
          // Some events are of no pod in particular: room was given back.
          if (!old) return true
          if ((old.metadata.namespace ?? 'default') !== namespace) return false
          const names = claimNames(pod)
          return podsConflict(pod, old) || claimNames(old).some((name) => names.includes(name))
        },
      },
      { event: 'NodeAdded' },
      {
        event: 'PersistentVolumeClaimAdded',
        helps({ pod, namespace }, change) {
          const { now } = changeOf<PersistentVolumeClaim>(change)
          return now?.metadata.namespace === namespace && claimNames(pod).includes(now.metadata.name)
        },
      },
    ],
    preFilter(cycle, { pod, namespace }, snapshot) {
      const objects = storageObjects(snapshot)
      const claims = new Set<string>()
      for (const name of claimNames(pod)) {
        const claim = objects.claim(namespace, name)
        if (!claim) return { status: unresolvable(notFound.claim(name)) }
        if (claim.spec.accessModes?.includes('ReadWriteOncePod')) claims.add(name)
      }
      // Upstream skips also where nobody has the claims yet; then a pod that is nominated to have them would not count.
      if (claims.size === 0 && !pod.spec.volumes?.some(isExclusiveDisk)) return { status: skip }
      cycle.write(stateKey, { namespace, claims, inUse: claimsInUse(namespace, claims, snapshot) } satisfies State)
      return undefined
    },
    addPod(cycle, _pod, other) {
      const state = cycle.read<State>(stateKey)
      if (state) state.inUse += uses(state, other)
    },
    removePod(cycle, _pod, other) {
      const state = cycle.read<State>(stateKey)
      if (state) state.inUse -= uses(state, other)
    },
    filter(cycle, { pod }, node) {
      for (const other of node.pods.values()) if (podsConflict(pod, other.pod)) return unschedulable(reasons.disk)
      return (cycle.read<State>(stateKey)?.inUse ?? 0) > 0 ? unschedulable(reasons.readWriteOncePod) : undefined
    },
  }
}
