import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'
import { claimClass } from '@berth/pod-rules'
import type { Plugin } from '../framework/plugin.ts'
import { skip, unresolvable } from '../framework/status.ts'
import { changeOf } from './volume-binding/hints.ts'
import { notFound, storageObjects, type StorageObjects } from './volume-binding/objects.ts'

const stateKey = 'VolumeZone'

/** The labels of volumes and nodes that are compared, and what the old ones are called now. */
const topologyLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
}

interface Topology {
  readonly key: string
  readonly values: readonly string[]
}

/** Where a volume's labels say that it is: several zones are written `a__b`. A label that cannot be read is left out. */
function topologiesOf({ metadata: { labels = {} } }: PersistentVolume): Topology[] {
  const found: Topology[] = []
  for (const key of Object.keys(topologyLabels)) {
    const values = labels[key]?.split('__').map((value) => value.trim())
    if (values?.every((value) => value !== '')) found.push({ key, values })
  }
  return found
}

const claimNames = ({ spec }: Pod): string[] => (spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => (persistentVolumeClaim ? [persistentVolumeClaim.claimName] : []))

/** Where the volumes of a pod's claims are, or why that cannot be said; claims that wait for their pod are nowhere yet. */
function podTopologies(pod: Pod, namespace: string, objects: StorageObjects): Topology[] | string {
  const topologies: Topology[] = []
  for (const name of claimNames(pod)) {
    if (name === '') return 'PersistentVolumeClaim had no name'
    const claim = objects.claim(namespace, name)
    if (!claim) return notFound.claim(name)
    const volumeName = claim.spec.volumeName ?? ''
    if (volumeName !== '') {
      const volume = objects.volume(volumeName)
      if (!volume) return notFound.volume(volumeName)
      topologies.push(...topologiesOf(volume))
      continue
    }
    const className = claimClass(claim)
    if (className === '') return 'PersistentVolumeClaim had no pv name and storageClass name'
    const found = objects.class(className)
    if (!found) return notFound.class(className)
    if (found.volumeBindingMode === undefined) return `VolumeBindingMode not set for StorageClass ${JSON.stringify(className)}`
    if (found.volumeBindingMode !== 'WaitForFirstConsumer') return 'PersistentVolume had no name'
  }
  return topologies
}

/** Keeps pods in the zones and regions that the labels of their volumes name. Nodes without any such label take all. */
export function volumeZone(): Plugin {
  const usesClaim = (pod: Pod, namespace: string, claim: PersistentVolumeClaim | undefined): boolean => claim?.metadata.namespace === namespace && claimNames(pod).includes(claim.metadata.name)
  return {
    name: 'VolumeZone',
    sign: ({ pod }) => (claimNames(pod).length === 0 ? '' : undefined),
    events: () => [
      { event: 'StorageClassAdded', helps: (_pod, change) => changeOf<StorageClass>(change).now?.volumeBindingMode === 'WaitForFirstConsumer' },
      { event: 'NodeAdded' },
      { event: 'NodeLabelsChanged' },
      { event: 'PersistentVolumeClaimAdded', helps: ({ pod, namespace }, change) => usesClaim(pod, namespace, changeOf<PersistentVolumeClaim>(change).now) },
      { event: 'PersistentVolumeClaimUpdated', helps: ({ pod, namespace }, change) => usesClaim(pod, namespace, changeOf<PersistentVolumeClaim>(change).now) },
      { event: 'PersistentVolumeAdded' },
      {
        event: 'PersistentVolumeUpdated',
        helps(_pod, change) {
          const { old, now } = changeOf<PersistentVolume>(change)
          return JSON.stringify(old && topologiesOf(old)) !== JSON.stringify(now && topologiesOf(now))
        },
      },
    ],
    preFilter(cycle, { pod, namespace }, snapshot) {
      const topologies = podTopologies(pod, namespace, storageObjects(snapshot))
      if (typeof topologies === 'string') return { status: unresolvable(topologies) }
      if (topologies.length === 0) return { status: skip }
      cycle.write(stateKey, topologies)
      return undefined
    },
    filter(cycle, _pod, { labels }) {
      const topologies = cycle.read<Topology[]>(stateKey) ?? []
      if (!Object.keys(topologyLabels).some((key) => labels[key] !== undefined)) return undefined
      for (const { key, values } of topologies) {
        const own = labels[key] ?? labels[topologyLabels[key] ?? key]
        if (own === undefined || !values.includes(own)) return unresolvable('node(s) had no available volume zone')
      }
      return undefined
    },
  }
}
