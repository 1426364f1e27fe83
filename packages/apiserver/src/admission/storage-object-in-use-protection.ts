import type { AdmissionPlugin } from '../interfaces.ts'

const finalizers: Readonly<Record<string, string>> = {
  '/persistentvolumeclaims': 'kubernetes.io/pvc-protection', '/persistentvolumes': 'kubernetes.io/pv-protection', 'storage.k8s.io/volumeattributesclasses': 'kubernetes.io/vac-protection',
}

/** Gives new claims, volumes and attribute classes the finalizer that keeps them while they are in use; the protection controllers take it off. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (operation) => operation === 'CREATE',
  admit({ resource, subresource, object }) {
    const finalizer = subresource === '' ? finalizers[`${resource.group}/${resource.resource}`] : undefined
    if (finalizer === undefined || !object || object.metadata.finalizers?.includes(finalizer)) return
    object.metadata.finalizers = [...object.metadata.finalizers ?? [], finalizer]
  },
}
