import { core } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { stringAt } from '../registry/values.ts'

/** Of the references to secrets only the names are kept. */
function cleanSecretReferences(object: ApiObject): void {
  const secrets = object['secrets']
  if (Array.isArray(secrets)) object['secrets'] = secrets.map((secret: unknown) => ({ name: stringAt(secret, 'name') }))
}

export const serviceaccounts: ResourceDefinition = {
  resource: core.serviceaccounts,
  storagePrefix: 'serviceaccounts',
  returnsDeletedObject: true,
  prepareForCreate: cleanSecretReferences,
  prepareForUpdate: cleanSecretReferences,
}
