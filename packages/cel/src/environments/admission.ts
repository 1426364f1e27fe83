import { createEnvironment } from './environment.ts'
import { jsonPatchFunctions, patchTypes } from './patch-types.ts'
import * as types from '../types/types.ts'
import type { CelType } from '../types/types.ts'
import type { Environment } from './environment.ts'

const { stringType: text, boolType, dynType, intType, timestampType } = types
const texts = types.listType(text)
const named = (name: string, fields: Readonly<Record<string, CelType>>): CelType => types.objectType(`kubernetes.${name}`, Object.entries(fields))

const kindType = named('GroupVersionKind', { group: text, version: text, kind: text })
const resourceType = named('GroupVersionResource', { group: text, version: text, resource: text })

const requestType = named('AdmissionRequest', {
  kind: kindType, resource: resourceType, subResource: text, requestKind: kindType, requestResource: resourceType, requestSubResource: text,
  name: text, namespace: text, operation: text, dryRun: boolType, options: dynType,
  userInfo: named('UserInfo', { username: text, uid: text, groups: texts, extra: types.mapType(text, texts) }),
})

const namespaceType = named('Namespace', {
  metadata: named('NamespaceMetadata', {
    name: text, generateName: text, namespace: text, labels: types.mapType(text, text), annotations: types.mapType(text, text), UID: text,
    creationTimestamp: timestampType, deletionGracePeriodSeconds: intType, deletionTimestamp: timestampType, generation: intType, resourceVersion: text, finalizers: texts,
  }),
  spec: named('NamespaceSpec', { finalizers: texts }),
  status: named('NamespaceStatus', {
    conditions: types.listType(named('NamespaceCondition', { status: text, type: text, lastTransitionTime: timestampType, message: text, reason: text })), phase: text,
  }),
})

export interface AdmissionEnvironmentOptions {
  /** Whether `params` is known: the policy has a paramKind. Its type, where that is known too. */
  readonly params?: boolean | CelType
  /** The type of object and oldObject, where one kind is meant; dynamic without it. */
  readonly object?: CelType
  /** Whether `authorizer` and `authorizer.requestResource` are known. */
  readonly authorizer?: boolean
  /** The types of the policy's variables so far, by name, as `variables.<name>` sees them; pass the values with {@link lazyVariables}. */
  readonly variables?: Readonly<Record<string, CelType>>
  /** Whether the types of patches are known (`Object{}`, `JSONPatch{}`) and `jsonpatch.escapeKey`: in the mutations of a policy. */
  readonly patches?: boolean
}

/**
 * The environment of admission policies and of match conditions of webhooks: object, oldObject (dynamic; null where absent),
 * request, namespaceObject, and by option params, authorizer and variables. Pass API objects as parsed JSON.
 */
export function admissionEnvironment(options: AdmissionEnvironmentOptions = {}): Environment {
  const { variables, object = dynType, params = false } = options
  return createEnvironment({
    variables: {
      object, oldObject: object, request: requestType, namespaceObject: namespaceType,
      ...(params === false ? {} : { params: params === true ? dynType : params }),
      ...(options.authorizer === true ? {
        'authorizer': types.opaqueType('kubernetes.authorization.Authorizer'),
        'authorizer.requestResource': types.opaqueType('kubernetes.authorization.ResourceCheck'),
      } : {}),
      ...(variables === undefined ? {} : { variables: types.objectType('kubernetes.variables', Object.entries(variables)) }),
    },
    types: [requestType, namespaceType],
    ...(options.patches === true ? { moreTypes: patchTypes, functions: jsonPatchFunctions } : {}),
  })
}
