import type { NodeSelectorTerm, PersistentVolume, PersistentVolumeSource, Volume } from '@berth/api/types/core/v1'
import type { CSINode } from '@berth/api/types/storage/v1'

/** An in-tree volume type that a CSI driver serves in its place (csi-translation-lib). */
export interface MigratedPlugin {
  /** The in-tree plugin's name, which is its provisioner's too. */
  readonly plugin: string
  readonly driver: string
  /** The label by which the driver says where a volume is; absent where it says nothing. */
  readonly topologyKey?: string
  /** The volume's handle; undefined where the source is none of this plugin's. */
  handle(source: PersistentVolumeSource | Volume, volume?: PersistentVolume): string | undefined
}

const zoneLabels = ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'] as const

/** The zones that a volume's affinity names; those of its label where it names none. */
function zonesOf(volume: PersistentVolume): string[] {
  const zones = new Set<string>()
  for (const term of volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []) {
    for (const { key, values = [] } of term.matchExpressions ?? []) if (zoneLabels.some((label) => label === key)) for (const value of values) zones.add(value)
  }
  if (zones.size > 0) return [...zones]
  const label = zoneLabels.map((key) => volume.metadata.labels?.[key]).find((value) => value !== undefined)
  return label === undefined ? [] : label.split('__')
}

function gcePdHandle(name: string, volume: PersistentVolume | undefined): string {
  const zones = volume ? zonesOf(volume) : []
  if (zones.length > 1) return `projects/UNSPECIFIED/regions/${(zones[0] ?? '').replace(/-[^-]*$/, '')}/disks/${name}`
  return `projects/UNSPECIFIED/zones/${zones[0] ?? 'UNSPECIFIED'}/disks/${name}`
}

/** The types whose volumes the scheduler counts and places as their driver's. */
const migrated: readonly MigratedPlugin[] = [
  {
    plugin: 'kubernetes.io/aws-ebs', driver: 'ebs.csi.aws.com', topologyKey: 'topology.ebs.csi.aws.com/zone',
    // aws://zone/vol-1 and vol-1 are the same volume.
    handle: ({ awsElasticBlockStore: ebs }) => ebs?.volumeID.replace(/^aws:\/\/.*\//, ''),
  },
  { plugin: 'kubernetes.io/gce-pd', driver: 'pd.csi.storage.gke.io', topologyKey: 'topology.gke.io/zone', handle: ({ gcePersistentDisk: pd }, volume) => pd && gcePdHandle(pd.pdName, volume) },
  { plugin: 'kubernetes.io/cinder', driver: 'cinder.csi.openstack.org', topologyKey: 'topology.cinder.csi.openstack.org/zone', handle: ({ cinder }) => cinder?.volumeID },
  { plugin: 'kubernetes.io/azure-disk', driver: 'disk.csi.azure.com', topologyKey: 'topology.disk.csi.azure.com/zone', handle: ({ azureDisk }) => azureDisk?.diskURI },
  { plugin: 'kubernetes.io/portworx-volume', driver: 'pxd.portworx.com', handle: ({ portworxVolume }) => portworxVolume?.volumeID },
]

/** The in-tree type of a volume's source, where it is one that drivers have taken over. */
export function migratedPlugin(source: PersistentVolumeSource | Volume): MigratedPlugin | undefined {
  return migrated.find((plugin) => plugin.handle(source) !== undefined)
}

export function migratedProvisioner(provisioner: string): MigratedPlugin | undefined {
  return migrated.find(({ plugin }) => plugin === provisioner)
}

/** Whether the node's kubelet says that a plugin's volumes are its driver's there. */
export function migratedOn(csiNode: CSINode | undefined, { plugin }: MigratedPlugin): boolean {
  return csiNode?.metadata.annotations?.['storage.alpha.kubernetes.io/migrated-plugins']?.split(',').includes(plugin) === true
}

function withDriverKey(terms: readonly NodeSelectorTerm[], topologyKey: string): NodeSelectorTerm[] {
  return terms.map((term) => ({
    ...term,
    ...(term.matchExpressions ? { matchExpressions: term.matchExpressions.map((r) => (zoneLabels.some((label) => label === r.key) ? { ...r, key: topologyKey } : r)) } : {}),
  }))
}

/** The volume as its node sees it: where a driver has taken it over, its zones are told by the driver's label. */
export function translatedForNode(volume: PersistentVolume, csiNode: CSINode | undefined): PersistentVolume {
  const plugin = migratedPlugin(volume.spec)
  if (!plugin?.topologyKey || !migratedOn(csiNode, plugin)) return volume
  const zones = zonesOf(volume)
  if (zones.length === 0) return volume
  const terms = volume.spec.nodeAffinity?.required?.nodeSelectorTerms ?? []
  const named = terms.some((term) => term.matchExpressions?.some(({ key }) => zoneLabels.some((label) => label === key)))
  const required = { key: plugin.topologyKey, operator: 'In' as const, values: zones }
  const translated = named ? withDriverKey(terms, plugin.topologyKey)
    : terms.length === 0 ? [{ matchExpressions: [required] }] : terms.map((term) => ({ ...term, matchExpressions: [...term.matchExpressions ?? [], required] }))
  return { ...volume, spec: { ...volume.spec, nodeAffinity: { required: { nodeSelectorTerms: translated } } } }
}
