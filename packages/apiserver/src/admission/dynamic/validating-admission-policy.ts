import { admissionregistration } from '@berth/api'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '@berth/api/types/admissionregistration/v1'
import { StatusError } from '../../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ApiObject, Authorizer, ResourceStore } from '../../interfaces.ts'
import { refuse } from '../pods.ts'
import { conditionsHold, requestVariables } from './conditions.ts'
import { failsClosed, invocationsOf, isPolicyItself } from './policy-invocations.ts'
import { compilePolicy, runPolicy } from './policy-program.ts'
import type { PolicyProgram } from './policy-program.ts'

const codes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 }

/** Why a request is denied. */
interface Denial { readonly message: string, readonly reason: string }

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
      if (isPolicyItself(attributes)) return
      const policies = store.list(admissionregistration.validatingadmissionpolicies)
      if (policies.length === 0) return
      let variables: Record<string, unknown> | undefined
      const request = (): Record<string, unknown> => (variables ??= requestVariables(attributes, store, authorizer))
      const denials: Denial[] = []
      // All of them are asked, so that all warnings are given.
      for (const { policy, binding, params, problem } of invocationsOf(policies, store.list(admissionregistration.validatingadmissionpolicybindings), attributes, store)) {
        if (problem !== undefined && failsClosed(policy)) denials.push({ message: denied(policy, binding, problem), reason: 'Invalid' })
        if (binding) for (const param of params ?? []) denials.push(...judge(policy, binding, param, attributes, programOf(policy), request))
      }
      const [first] = denials
      if (first) throw refusal(attributes, first)
    },
  }
}

/** Does what the binding says of what does not hold: gives warnings, and the denials. */
function judge(policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, param: ApiObject | undefined, attributes: AdmissionAttributes, program: PolicyProgram, request: () => Record<string, unknown>): Denial[] {
  const failClosed = failsClosed(policy)
  const { holds, error } = conditionsHold(policy.spec?.matchConditions, () => ({ ...request(), ...(program.withParams ? { params: param ?? null } : {}) }), program.withParams)
  if (error === undefined && !holds) return []
  const { findings, annotationErrors } = error === undefined ? runPolicy(program, request(), param) : { findings: [{ message: error, reason: 'Invalid', isError: true }], annotationErrors: [] }
  const actions = binding.spec?.validationActions ?? []
  const denials: Denial[] = []
  for (const { message, reason, isError } of findings) {
    if (isError && !failClosed) continue
    if (actions.includes('Warn')) attributes.warn(`Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`)
    if (actions.includes('Deny')) denials.push({ message: denied(policy, binding, message), reason })
  }
  if (failClosed) denials.push(...annotationErrors.map((message) => ({ message: denied(policy, binding, message), reason: 'Invalid' })))
  return denials
}

function denied(policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding | undefined, message: string): string {
  return `ValidatingAdmissionPolicy '${policy.metadata.name}'${binding ? ` with binding '${binding.metadata.name}'` : ''} denied request: ${message}`
}

function refusal(attributes: AdmissionAttributes, { message, reason }: Denial): StatusError {
  const { status } = refuse(attributes, message)
  return new StatusError(codes[reason] ?? 422, reason, status.message ?? message, { ...status.details, causes: [{ message }] } as never)
}
