import { core, storage } from '@berth/api'
import { expect, test } from 'vitest'
import type { ApiObject, AdmissionAttributes } from '../interfaces.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'

test.each<[string, AdmissionAttributes['resource'], string[] | undefined, string[] | undefined]>([
  ['a claim', core.persistentvolumeclaims, undefined, ['kubernetes.io/pvc-protection']],
  ['a volume that somebody else holds, too', core.persistentvolumes, ['x'], ['x', 'kubernetes.io/pv-protection']],
  ['a claim that has it', core.persistentvolumeclaims, ['kubernetes.io/pvc-protection'], ['kubernetes.io/pvc-protection']],
  ['an attribute class', storage.volumeattributesclasses, undefined, ['kubernetes.io/vac-protection']],
  ['any other kind', core.configmaps, undefined, undefined],
])('%s is kept while it is in use', async (_, resource, before, after) => {
  const object: ApiObject = { metadata: { name: 'o', ...(before ? { finalizers: before } : {}) } }
  await storageObjectInUseProtection.admit?.({ resource, subresource: '', operation: 'CREATE', object } as AdmissionAttributes)
  expect(object.metadata.finalizers).toEqual(after)
})
