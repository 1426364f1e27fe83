// Which policies a request is held to, by which binding and with which parameters: the same for validating and for mutating ones.
import { labelSelectorMatcher } from '@berth/api'
import type { MatchResources, ParamKind, ParamRef } from '@berth/api/types/admissionregistration/v1'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import type { AdmissionAttributes, ApiObject, ResourceStore } from '../../interfaces.ts'
import { isMeant, matchingOf } from './matching.ts'

/** What both kinds of policies have. */
export interface PolicyLike {
  readonly metadata: ObjectMeta
  readonly spec?: { readonly matchConstraints?: MatchResources, readonly paramKind?: ParamKind, readonly failurePolicy?: string }
}

/** What both kinds of bindings have. */
export interface BindingLike {
  readonly metadata: ObjectMeta
  readonly spec?: { readonly policyName?: string, readonly matchResources?: MatchResources, readonly paramRef?: ParamRef }
}

/** A policy that a request is meant for, by one of its bindings: with each parameter of these, or with none (undefined); or why it cannot be asked. */
export type Invocation<P, B> =
  | { readonly policy: P, readonly binding: B, readonly params: readonly (ApiObject | undefined)[], readonly problem?: undefined }
  | { readonly policy: P, readonly binding: B | undefined, readonly params?: undefined, readonly problem: string }

const ownKinds = new Set(['validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'])

/** Nobody can lock himself out of changing the policies: they are held to none. */
export function isPolicyItself({ resource }: AdmissionAttributes): boolean {
  return resource.group === 'admissionregistration.k8s.io' && ownKinds.has(resource.resource)
}

/** Whether failures of the policy refuse the request. */
export function failsClosed({ spec }: PolicyLike): boolean {
  return spec?.failurePolicy !== 'Ignore'
}

/** The invocations of a request, policy by policy and binding by binding in the order of their names. */
export function* invocationsOf<P extends PolicyLike, B extends BindingLike>(policies: readonly P[], bindings: readonly B[], attributes: AdmissionAttributes, store: ResourceStore): Generator<Invocation<P, B>> {
  for (const policy of policies) {
    const own = bindings.filter(({ spec }) => spec?.policyName === policy.metadata.name)
    if (own.length === 0 || !isMeant(matchingOf(policy.spec?.matchConstraints), attributes, store)) continue
    const { apiVersion = '', kind = '' } = policy.spec?.paramKind ?? {}
    const resource = policy.spec?.paramKind === undefined ? undefined : store.resourceOf(apiVersion, kind)
    if (policy.spec?.paramKind !== undefined && !resource) {
      yield { policy, binding: undefined, problem: `failed to configure policy: failed to find resource referenced by paramKind: '${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}'` }
      continue
    }
    for (const binding of own) {
      const resources = binding.spec?.matchResources
      if (resources && !isMeant({ ...matchingOf(resources), rules: (resources.resourceRules ?? []).length > 0 ? resources.resourceRules ?? [] : [anyRule] }, attributes, store)) continue
      const reference = binding.spec?.paramRef
      const params = resource && reference ? paramsOf(resource, reference, attributes, store) : [undefined]
      if (typeof params === 'string') yield { policy, binding, problem: `failed to configure binding: ${params}` }
      else yield { policy, binding, params }
    }
  }
}

const anyRule = { operations: ['*' as const], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }

/** The parameters that a binding names, or why there are none. */
function paramsOf(resource: NonNullable<ReturnType<ResourceStore['resourceOf']>>, reference: ParamRef, attributes: AdmissionAttributes, store: ResourceStore): ApiObject[] | string {
  if (!resource.namespaced && reference.namespace) return 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`'
  const namespace = resource.namespaced ? reference.namespace || attributes.namespace : ''
  if (resource.namespaced && namespace === '') return 'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources'
  const matches = reference.selector ? labelSelectorMatcher(reference.selector) : () => true
  const found = reference.name
    ? [store.get(resource, reference.name, namespace) as ApiObject | undefined].filter((object) => object !== undefined)
    : (store.list(resource, namespace) as ApiObject[]).filter((object) => matches(object.metadata.labels ?? {}))
  return found.length === 0 && reference.parameterNotFoundAction === 'Deny' ? 'no params found for policy binding with `Deny` parameterNotFoundAction' : found
}
