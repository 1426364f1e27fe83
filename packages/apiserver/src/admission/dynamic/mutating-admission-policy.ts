import { admissionregistration } from '@berth/api'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from '@berth/api/types/admissionregistration/v1'
import { StatusError } from '../../errors.ts'
import type { AdmissionAttributes, AdmissionPlugin, ApiObject, Authorizer, ResourceStore } from '../../interfaces.ts'
import { equalValues } from '../../registry/values.ts'
import { refuse } from '../pods.ts'
import { conditionsHold, requestVariables } from './conditions.ts'
import { compileMutations, runMutation } from './mutation-program.ts'
import type { MutationProgram } from './mutation-program.ts'
import { failsClosed, invocationsOf, isPolicyItself } from './policy-invocations.ts'
import { Reinvocation } from './reinvocation.ts'
import { readBack, replaceInPlace } from './request.ts'

const pluginName = 'MutatingAdmissionPolicy'

/** Something that a policy could not do. */
interface Failure { readonly policy: MutatingAdmissionPolicy, readonly binding: MutatingAdmissionPolicyBinding | undefined, readonly message: string, readonly reason: 'Invalid' | 'Forbidden' }

/** Changes objects by the expressions of MutatingAdmissionPolicies, as their bindings say (kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy). */
export function mutatingAdmissionPolicy(store: ResourceStore, authorizer: Authorizer): AdmissionPlugin {
  const programs = new WeakMap<MutatingAdmissionPolicy, MutationProgram>()
  const programOf = (policy: MutatingAdmissionPolicy): MutationProgram => {
    const made = programs.get(policy) ?? compileMutations(policy)
    programs.set(policy, made)
    return made
  }
  return {
    name: pluginName,
    handles: (operation) => operation !== 'DELETE',
    admit(attributes) {
      if (isPolicyItself(attributes)) return
      const policies = store.list(admissionregistration.mutatingadmissionpolicies)
      if (policies.length === 0) return
      // What is meant is settled before the first policy changes anything.
      const invocations = [...invocationsOf(policies, store.list(admissionregistration.mutatingadmissionpolicybindings), attributes, store)]
      if (invocations.length === 0) return
      const reinvocation = Reinvocation.begin(pluginName, attributes)
      const failures: Failure[] = []
      try {
        let ran = false
        for (const { policy, binding, params, problem } of invocations) {
          if (problem !== undefined) failures.push({ policy, binding, message: problem, reason: 'Forbidden' })
          for (const param of params ?? []) {
            const key = JSON.stringify([policy.metadata.name, binding?.metadata.name, param?.metadata.namespace, param?.metadata.name])
            const outcome = invoke(policy, programOf(policy), param, attributes, store, authorizer, () => reinvocation.isDue(key))
            failures.push(...(outcome?.failures ?? []).map((message): Failure => ({ policy, binding, message, reason: 'Invalid' })))
            if (!outcome?.ran) continue
            ran ||= attributes.object !== undefined
            if (outcome.changed) reinvocation.changed()
            if (policy.spec?.reinvocationPolicy === 'IfNeeded') reinvocation.mayRunAgain(key)
          }
        }
        // Whoever ran is taken to have changed something, though the object be the same.
        if (ran) reinvocation.changed()
      } finally {
        reinvocation.end()
      }
      const refused = failures.filter(({ policy }) => failsClosed(policy))
      if (refused.length > 0) throw refusal(attributes, refused)
    },
  }
}

/** Lets one policy change the object; undefined where it leaves the request out. Throws a StatusError that is the answer in any case. */
function invoke(
  policy: MutatingAdmissionPolicy, program: MutationProgram, param: ApiObject | undefined, attributes: AdmissionAttributes, store: ResourceStore, authorizer: Authorizer, isDue: () => boolean,
): { ran: boolean, changed: boolean, failures: string[] } | undefined {
  const inputs = (): Record<string, unknown> => ({ ...requestVariables(attributes, store, authorizer), ...(program.withParams ? { params: param ?? null } : {}) })
  const { holds, error } = conditionsHold(policy.spec?.matchConditions, inputs, program.withParams)
  if (error !== undefined) return { ran: false, changed: false, failures: [error] }
  if (!holds || !isDue()) return undefined
  const failures: string[] = []
  let changed = false
  for (const mutation of program.mutations) {
    const { object } = attributes
    if (!object) continue
    try {
      const made = readBack(attributes, runMutation(mutation, program, inputs(), object, attributes, store))
      if (equalValues(made, object)) continue
      replaceInPlace(object, made)
      changed = true
    } catch (error) {
      if (error instanceof StatusError || !(error instanceof Error)) throw error
      failures.push(error.message)
    }
  }
  return { ran: true, changed, failures }
}

/** The first failure is the message; all are told as causes. */
function refusal(attributes: AdmissionAttributes, failures: readonly Failure[]): StatusError {
  const messages = failures.map(({ policy, binding, message }) =>
    binding ? `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}` : `policy ${JSON.stringify(policy.metadata.name)} denied request: ${message}`)
  const { details } = refuse(attributes, 'admission request denied by policy').status
  return new StatusError(403, failures[0]?.reason ?? 'Forbidden', messages[0] ?? '', { ...details, causes: messages.map((message) => ({ message })) } as never)
}
