import { storage } from '@berth/api'
import type { PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { defaultStorageClass as defaultClassOf } from '@berth/pod-rules'
import type { AdmissionPlugin, ResourceStore } from '../interfaces.ts'

/** Gives claims that name no class the default one. */
export function defaultStorageClass(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: (operation) => operation === 'CREATE',
    admit({ resource, subresource, object }) {
      if (resource.group !== '' || resource.resource !== 'persistentvolumeclaims' || subresource !== '' || !object) return
      const claim = object as unknown as PersistentVolumeClaim
      if (!claim.spec || claim.spec.storageClassName !== undefined || claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
      const found = defaultClassOf(store.list(storage.storageclasses))
      if (found) claim.spec.storageClassName = found.metadata.name
    },
  }
}
