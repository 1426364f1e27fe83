import { storage } from '@berth/api'
import type { PersistentVolumeClaim } from '@berth/api/types/core/v1'
import type { StorageClass } from '@berth/api/types/storage/v1'
import type { AdmissionPlugin, ResourceStore } from '../interfaces.ts'

const marks = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

/** The class that claims get which name none: the newest that is marked, by name among equals. */
export function defaultStorageClassOf(classes: readonly StorageClass[]): StorageClass | undefined {
  const marked = classes.filter(({ metadata }) => marks.some((mark) => metadata.annotations?.[mark] === 'true'))
  return marked.sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? '') || a.metadata.name.localeCompare(b.metadata.name))[0]
}

/** Gives claims that name no class the default one. */
export function defaultStorageClass(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    handles: (operation) => operation === 'CREATE',
    admit({ resource, subresource, object }) {
      if (resource.group !== '' || resource.resource !== 'persistentvolumeclaims' || subresource !== '' || !object) return
      const claim = object as unknown as PersistentVolumeClaim
      if (!claim.spec || claim.spec.storageClassName !== undefined || claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined) return
      const found = defaultStorageClassOf(store.list(storage.storageclasses))
      if (found) claim.spec.storageClassName = found.metadata.name
    },
  }
}
