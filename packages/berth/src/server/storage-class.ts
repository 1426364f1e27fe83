import { storage } from '@berth/api'
import { localPathProvisioner } from '@berth/controllers/local-path'
import { isAlreadyExists, type KubeClient } from '@berth/kube'

/** Sees to it that claims get a volume without further ado: the class local-path, the default unless somebody says otherwise. One that is there is left as it is. */
export async function ensureStorageClass(client: KubeClient): Promise<void> {
  try {
    await client.create(storage.storageclasses, {
      metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: localPathProvisioner, reclaimPolicy: 'Delete', volumeBindingMode: 'WaitForFirstConsumer',
    })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}
