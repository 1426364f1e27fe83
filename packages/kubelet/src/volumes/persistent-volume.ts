import type { PersistentVolume, Volume } from '@berth/api/types/core/v1'
import { volumeAffinityMatches } from '@berth/pod-rules'
import { hostPathVolume } from './host-path.ts'
import { localVolume } from './local.ts'
import type { VolumeContext, VolumePlugin } from './plugin.ts'

/** How a volume of one type is set up for a pod; `volume` is the pod's, for its name and whether it is only read. */
type PersistentSetUp = (volume: Volume, persistent: PersistentVolume, context: VolumeContext) => Promise<string>

/** The types of persistent volumes that this kubelet serves: a line each. */
const setUps: Partial<Record<keyof PersistentVolume['spec'], PersistentSetUp>> = {
  hostPath: async (volume, { spec }, context) => hostPathVolume.setUp({ name: volume.name, ...(spec.hostPath ? { hostPath: spec.hostPath } : {}) }, context),
  local: localVolume,
}

const sources: ReadonlyArray<keyof PersistentVolume['spec']> = ['csi', 'nfs', 'iscsi', 'fc', 'rbd', 'cephfs', 'cinder', 'glusterfs', 'awsElasticBlockStore', 'gcePersistentDisk', 'azureDisk', 'azureFile', 'vsphereVolume', 'portworxVolume', 'flexVolume', 'flocker', 'photonPersistentDisk', 'quobyte', 'scaleIO', 'storageos']

/** Sets up the volume that a claim is bound to, once it is, if the node can reach it. */
async function setUpClaim(volume: Volume, claim: string, owned: boolean, context: VolumeContext): Promise<string> {
  const persistent = await context.boundVolume(claim, owned)
  const { metadata: { name }, spec } = persistent
  if (spec.volumeMode === 'Block') throw new Error(`volume ${volume.name} has volumeMode Block, but is specified in volumeMounts`)
  if (!volumeAffinityMatches(persistent, context.nodeLabels())) throw new Error(`MountVolume.NodeAffinity check failed for volume "${name}" : no matching NodeSelectorTerms`)
  for (const [source, setUp] of Object.entries(setUps)) if (spec[source as keyof typeof spec] !== undefined) return setUp(volume, persistent, context)
  throw new Error(`persistent volumes of type ${sources.find((source) => spec[source] !== undefined) ?? 'unknown'} are not served by this kubelet`)
}

/** A claim, as the volume that it is bound to. */
export const claimVolume: VolumePlugin = {
  source: 'persistentVolumeClaim',
  setUp: (volume, context) => setUpClaim(volume, volume.persistentVolumeClaim?.claimName ?? '', false, context),
}

/** A claim that was made for the pod alone: POD-VOLUME. */
export const ephemeralVolume: VolumePlugin = {
  source: 'ephemeral',
  setUp: (volume, context) => setUpClaim(volume, `${context.pod.metadata.name}-${volume.name}`, true, context),
}
