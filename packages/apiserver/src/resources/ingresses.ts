// networking.k8s.io beside addresses: ingresses, their classes, network policies.
import { networking } from '@berth/api'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { bumpOnSpecChange, specAndStatus, statusSubresource } from './common.ts'

export const ingresses: ResourceDefinition = {
  resource: networking.ingresses,
  storagePrefix: 'ingress',
  ...specAndStatus,
  subresources: { status: statusSubresource() },
}

export const ingressclasses: ResourceDefinition = {
  resource: networking.ingressclasses,
  storagePrefix: 'ingressclasses',
  prepareForCreate: (object) => bumpGeneration(object, true),
  prepareForUpdate: bumpOnSpecChange,
}

export const networkpolicies: ResourceDefinition = {
  resource: networking.networkpolicies,
  storagePrefix: 'networkpolicies',
  prepareForCreate: (object) => bumpGeneration(object, true),
  prepareForUpdate: bumpOnSpecChange,
}
