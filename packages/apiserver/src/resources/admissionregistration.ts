import { admissionregistration } from '@berth/api'
import type { ResourceInfo } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { equalValues } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, statusReset, statusSubresource } from './common.ts'

/** Starts the generations. */
function prepareForCreate(object: ApiObject): void {
  object.metadata.generation = 1
}

/** None of these is written over blindly. */
const withGenerations = (resource: ResourceInfo, field: 'spec' | 'webhooks'): ResourceDefinition => ({
  resource,
  storagePrefix: resource.resource,
  refusesUnconditionalUpdate: true,
  prepareForCreate,
  prepareForUpdate: field === 'spec' ? bumpOnSpecChange : (object, old) => bumpGeneration(object, !equalValues(object['webhooks'], old['webhooks'])),
})

export const validatingwebhookconfigurations = withGenerations(admissionregistration.validatingwebhookconfigurations, 'webhooks')
export const mutatingwebhookconfigurations = withGenerations(admissionregistration.mutatingwebhookconfigurations, 'webhooks')
export const validatingadmissionpolicybindings = withGenerations(admissionregistration.validatingadmissionpolicybindings, 'spec')
export const mutatingadmissionpolicies = withGenerations(admissionregistration.mutatingadmissionpolicies, 'spec')
export const mutatingadmissionpolicybindings = withGenerations(admissionregistration.mutatingadmissionpolicybindings, 'spec')

export const validatingadmissionpolicies: ResourceDefinition = {
  ...withGenerations(admissionregistration.validatingadmissionpolicies, 'spec'),
  resetFields: statusReset,
  prepareForCreate(object) {
    object['status'] = {}
    prepareForCreate(object)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
  },
  subresources: { status: statusSubresource({ keepMeta: true }) },
}
