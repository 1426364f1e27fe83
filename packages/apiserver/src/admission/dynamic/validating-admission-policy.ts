import { admissionregistration, labelSelectorMatcher } from '@berth/api'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '@berth/api/types/admissionregistration/v1'
import { StatusError } from '../../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ApiObject, Authorizer, ResourceStore } from '../../interfaces.ts'
import { conditionsHold, requestVariables } from './conditions.ts'
import { isMeant, matchingOf } from './matching.ts'
import { compilePolicy, runPolicy } from './policy-program.ts'
import type { Finding, PolicyProgram } from './policy-program.ts'

const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 }
const ownKinds = new Set(['validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'])

/** Holds requests to the expressions of ValidatingAdmissionPolicies, as their bindings say (kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy). */
export function validatingAdmissionPolicy(store: ResourceStore, authorizer: Authorizer): AdmissionPlugin {
  const programs = new WeakMap<ValidatingAdmissionPolicy, PolicyProgram>()
  const programOf = (policy: ValidatingAdmissionPolicy): PolicyProgram => {
    const made = programs.get(policy) ?? compilePolicy(policy)
    programs.set(policy, made)
    return made
  }
  return {
    name: 'ValidatingAdmissionPolicy',
    handles: () => true,
    validate(attributes) {
      // Nobody can lock himself out of changing the policies.
      if (attributes.resource.group === 'admissionregistration.k8s.io' && ownKinds.has(attributes.resource.resource)) return
      const policies = store.list(admissionregistration.validatingadmissionpolicies)
      if (policies.length === 0) return
      const bindings = store.list(admissionregistration.validatingadmissionpolicybindings)
      let variables: Record<string, unknown> | undefined
      const request = (): Record<string, unknown> => (variables ??= requestVariables(attributes, store, authorizer))
      for (const policy of policies) {
        const own = bindings.filter(({ spec }) => spec?.policyName === policy.metadata.name)
        if (own.length === 0 || !isMeant(matchingOf(policy.spec?.matchConstraints), attributes, store)) continue
        for (const binding of own) {
          const resources = binding.spec?.matchResources
          if (resources && !isMeant({ ...matchingOf(resources), rules: (resources.resourceRules ?? []).length > 0 ? resources.resourceRules ?? [] : [anyRule] }, attributes, store)) continue
          judge(policy, binding, attributes, store, programOf(policy), request)
        }
      }
    },
  }
}

const anyRule = { operations: ['*' as const], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }

function judge(policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, attributes: AdmissionAttributes, store: ResourceStore, program: PolicyProgram, request: () => Record<string, unknown>): void {
  const failClosed = (policy.spec?.failurePolicy ?? 'Fail') === 'Fail'
  const params = program.withParams ? paramsOf(policy, binding, attributes, store) : [undefined]
  if (typeof params === 'string') {
    if (failClosed) refuse(policy, binding, attributes, [{ message: `failed to configure binding: ${params}`, reason: 'Invalid', isError: true }])
    return
  }
  for (const param of params) {
    const { holds, error } = conditionsHold(policy.spec?.matchConditions, () => ({ ...request(), ...(program.withParams ? { params: param ?? null } : {}) }), program.withParams)
    if (error !== undefined && failClosed) refuse(policy, binding, attributes, [{ message: error, reason: 'Invalid', isError: true }])
    if (!holds) continue
    const findings = runPolicy(program, request(), param).filter(({ isError }) => failClosed || !isError)
    if (findings.length > 0) refuse(policy, binding, attributes, findings)
  }
}

/** Does what the binding says of validations that do not hold. Throws where it says Deny. */
function refuse(policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, attributes: AdmissionAttributes, findings: readonly Finding[]): void {
  const actions = binding.spec?.validationActions ?? []
  if (actions.includes('Warn')) for (const { message } of findings) attributes.warn(`Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`)
  const [first] = findings
  if (!first || !actions.includes('Deny')) return
  const { resource } = attributes
  const name = attributes.name || attributes.object?.metadata?.name || ''
  const message = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${first.message}`
  const what = `${resource.resource}${resource.group === '' ? '' : `.${resource.group}`}`
  throw new StatusError(codes[first.reason] ?? 422, first.reason, `${what} ${JSON.stringify(name)} is forbidden: ${message}`, { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.resource, causes: [{ message }] } as never)
}

/** The parameters that a binding names, or why there are none. */
function paramsOf({ spec }: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, attributes: AdmissionAttributes, store: ResourceStore): (ApiObject | undefined)[] | string {
  const reference = binding.spec?.paramRef
  if (!reference) return [undefined]
  const { apiVersion = '', kind = '' } = spec?.paramKind ?? {}
  const resource = store.resourceOf(apiVersion, kind)
  if (!resource) return `paramKind kind ${apiVersion}, Kind=${kind} not known`
  const namespace = resource.namespaced ? reference.namespace ?? attributes.namespace : ''
  if (resource.namespaced && namespace === '') return "can't use namespaced paramRef to match cluster-scoped resources that don't match namespace constraints"
  const matches = reference.selector ? labelSelectorMatcher(reference.selector) : () => true
  const found = reference.name
    ? [store.get(resource, reference.name, namespace) as ApiObject | undefined].filter((object) => object !== undefined)
    : (store.list(resource, namespace) as ApiObject[]).filter((object) => matches(object.metadata.labels ?? {}))
  if (found.length > 0) return found
  return reference.parameterNotFoundAction === 'Allow' ? [] : 'no params found for policy binding with `Deny` parameterNotFoundAction'
}
