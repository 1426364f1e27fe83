// CEL expressions in objects are compiled before the objects are stored: what does not compile, or may cost too much, is refused.
import type { FieldError } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import { mutatingPolicyErrors, validatingPolicyErrors, webhookErrors } from './admission.ts'
import { definitionErrors } from './custom-definitions.ts'
import { deviceClassErrors, resourceClaimErrors, resourceClaimTemplateErrors } from './devices.ts'

/** The kinds that hold expressions. */
const kinds: Readonly<Record<string, (object: never) => FieldError[]>> = {
  'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy': mutatingPolicyErrors,
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': webhookErrors,
  'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy': validatingPolicyErrors,
  'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration': webhookErrors,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': definitionErrors,
  'resource.k8s.io/v1/DeviceClass': deviceClassErrors,
  'resource.k8s.io/v1/ResourceClaim': resourceClaimErrors,
  'resource.k8s.io/v1/ResourceClaimTemplate': resourceClaimTemplateErrors,
}

/** Compiles the expressions of an object that is well-formed otherwise; undefined for kinds that hold none. */
export function expressionCheck({ group, version, kind }: { group: string, version: string, kind: string }): ((object: ApiObject) => FieldError[]) | undefined {
  return kinds[`${group}/${version}/${kind}`] as ((object: unknown) => FieldError[]) | undefined
}
