import path from 'node:path'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'
import { isClaimBound, volumeAnnotations } from '@berth/pod-rules'

/** The name by which StorageClasses ask for directories of a node. */
export const localPathProvisioner = 'berth.dev/local-path'
/** Keeps a volume until its directory is gone (the finalizer of sig-storage's provisioners). */
export const provisionerFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer'

/** The node whose directories these are. */
export interface LocalNode {
  readonly name: string
  /** Its label kubernetes.io/hostname. */
  readonly hostname: string
  /** The directory that holds a directory for each volume. */
  readonly directory: string
}

const modes = ['ReadWriteOnce', 'ReadWriteOncePod']

/** Why no directory can be what a claim asks for; undefined where it can. */
function refusal({ spec }: PersistentVolumeClaim): string | undefined {
  if (spec.selector) return 'claim.Spec.Selector is not supported'
  if (spec.volumeMode === 'Block') return 'a directory cannot be a block volume'
  if (spec.dataSource ?? spec.dataSourceRef) return 'volumes that begin with the content of another are not supported'
  if ((spec.accessModes ?? []).length === 0 || spec.accessModes?.some((mode) => !modes.includes(mode))) return `only ${modes.join(' and ')} access modes are supported: the directory is on one node`
  return undefined
}

/** Whether a claim waits for a volume from us on this node: the scheduler has chosen it, and the binder has named us. */
export function isAsked(claim: PersistentVolumeClaim, { name }: LocalNode): boolean {
  const { annotations = {}, deletionTimestamp } = claim.metadata
  return !isClaimBound(claim) && (claim.spec.volumeName ?? '') === '' && deletionTimestamp === undefined
    && annotations[volumeAnnotations.storageProvisioner] === localPathProvisioner && annotations[volumeAnnotations.selectedNode] === name
}

/** The volume for a claim that asks for one, or why there is none. */
export function planVolume(claim: PersistentVolumeClaim, storageClass: StorageClass, node: LocalNode): { volume: PersistentVolume } | { refused: string } {
  const refused = refusal(claim)
  if (refused !== undefined) return { refused }
  const { name, namespace = '', uid = '', resourceVersion } = claim.metadata
  const volumeName = `pvc-${uid}`
  return {
    volume: {
      metadata: { name: volumeName, annotations: { [volumeAnnotations.provisionedBy]: localPathProvisioner }, finalizers: [provisionerFinalizer] },
      spec: {
        accessModes: claim.spec.accessModes ?? [],
        capacity: { storage: claim.spec.resources?.requests?.['storage'] ?? '0' },
        claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        storageClassName: storageClass.metadata.name,
        volumeMode: 'Filesystem',
        local: { path: path.join(node.directory, `${volumeName}_${namespace}_${name}`) },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node.hostname] }] }] } },
        ...(storageClass.mountOptions ? { mountOptions: storageClass.mountOptions } : {}),
      },
    },
  }
}

/** The directory of a volume that is ours and of this node; undefined for any other volume. */
export function directoryOf({ metadata, spec }: PersistentVolume, { directory, hostname }: LocalNode): string | undefined {
  const at = spec.local?.path
  const here = spec.nodeAffinity?.required?.nodeSelectorTerms.some((term) => term.matchExpressions?.some(({ key, values = [] }) => key === 'kubernetes.io/hostname' && values.includes(hostname)))
  if (metadata.annotations?.[volumeAnnotations.provisionedBy] !== localPathProvisioner || at === undefined || !here) return undefined
  // Nothing but a directory right below ours is ever removed.
  return path.dirname(path.normalize(at)) === path.normalize(directory) && path.basename(at).startsWith('pvc-') ? path.normalize(at) : undefined
}

/** What becomes of one of our volumes: its directory goes and it with it; or it is let go as it is; or nothing. */
export function planReclaim({ metadata, spec, status }: PersistentVolume): 'delete' | 'let-go' | undefined {
  const held = metadata.finalizers?.includes(provisionerFinalizer) === true
  if (spec.persistentVolumeReclaimPolicy !== 'Delete') return held ? 'let-go' : undefined
  if (metadata.deletionTimestamp !== undefined) return held && status?.phase !== 'Bound' ? 'delete' : undefined
  return status?.phase === 'Released' ? 'delete' : undefined
}
