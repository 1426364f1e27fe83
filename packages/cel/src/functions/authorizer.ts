import { regexFactor, listBase, sizeOf, structBase, traversal } from './cost.ts'
import { overload } from './overload.ts'
import { CelEvaluationError } from '../errors.ts'
import { OpaqueValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

/** What an expression asks of the authorizer. */
export interface AuthorizationQuestion {
  readonly verb: string
  /** Set for a check of a path that is no resource. */
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
  /** Asked for another identity than the request's: a service account. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
}

export interface AuthorizationAnswer {
  readonly allowed: boolean
  readonly reason?: string
  /** The authorizer could not decide. */
  readonly error?: string
}

/** Answers at once; expressions do not wait. */
export type AuthorizationHook = (question: AuthorizationQuestion) => AuthorizationAnswer

/** `authorizer` and what its methods build up; the API server makes one for a request. */
export class AuthorizerValue extends OpaqueValue {
  readonly typeName: string
  readonly hook: AuthorizationHook
  readonly question: Omit<AuthorizationQuestion, 'verb'>

  constructor(hook: AuthorizationHook, question: Omit<AuthorizationQuestion, 'verb'> = {}, typeName = authorizer) {
    super()
    this.hook = hook
    this.question = question
    this.typeName = typeName
  }

  equals(other: OpaqueValue): boolean {
    return other === this
  }

  with(part: Partial<AuthorizationQuestion>, typeName: string): AuthorizerValue {
    return new AuthorizerValue(this.hook, { ...this.question, ...part }, typeName)
  }
}

class DecisionValue extends OpaqueValue {
  readonly typeName = decision
  readonly answer: AuthorizationAnswer

  constructor(answer: AuthorizationAnswer) {
    super()
    this.answer = answer
  }

  equals(other: OpaqueValue): boolean {
    return other === this
  }
}

const authorizer = 'kubernetes.authorization.Authorizer'
const pathCheck = 'kubernetes.authorization.PathCheck'
const groupCheck = 'kubernetes.authorization.GroupCheck'
const resourceCheck = 'kubernetes.authorization.ResourceCheck'
const decision = 'kubernetes.authorization.Decision'

export const authorizerTypes = [authorizer, pathCheck, groupCheck, resourceCheck, decision]

function path(value: AuthorizerValue, path: string): AuthorizerValue {
  if (path.trim() === '') throw new CelEvaluationError('path must not be empty')
  return value.with({ path }, pathCheck)
}

const check = (value: AuthorizerValue, verb: string): Value => new DecisionValue(value.hook({ ...value.question, verb }))
const part = (field: keyof AuthorizationQuestion, typeName: string) => (value: AuthorizerValue, text: string) => value.with({ [field]: text }, typeName)

// A check may be asked twice in one expression: upstream prices it so.
const checkCost = (): number => 350_000
const selectorCost = (args: readonly Value[]): number => listBase + traversal(sizeOf(args[1])) + Math.ceil(Math.ceil(sizeOf(args[1]) * 2 * regexFactor) * (listBase + structBase))

/** Kubernetes' authorizer library with its selectors. The hook of the value answers. */
export const authorization: readonly Overload[] = [
  overload(`${authorizer}->path(string): ${pathCheck}`, path),
  overload(`${authorizer}->group(string): ${groupCheck}`, part('group', groupCheck)),
  overload(`${authorizer}->serviceAccount(string, string): ${authorizer}`,
    (value: AuthorizerValue, namespace: string, name: string) => value.with({ serviceAccount: { namespace, name } }, authorizer)),
  overload(`${groupCheck}->resource(string): ${resourceCheck}`, part('resource', resourceCheck)),
  overload(`${resourceCheck}->subresource(string): ${resourceCheck}`, part('subresource', resourceCheck)),
  overload(`${resourceCheck}->namespace(string): ${resourceCheck}`, part('namespace', resourceCheck)),
  overload(`${resourceCheck}->name(string): ${resourceCheck}`, part('name', resourceCheck)),
  overload(`${resourceCheck}->fieldSelector(string): ${resourceCheck}`, part('fieldSelector', resourceCheck), selectorCost),
  overload(`${resourceCheck}->labelSelector(string): ${resourceCheck}`, part('labelSelector', resourceCheck), selectorCost),
  overload(`${pathCheck}->check(string): ${decision}`, check, checkCost),
  overload(`${resourceCheck}->check(string): ${decision}`, check, checkCost),
  overload(`${decision}->errored(): bool`, (value: DecisionValue) => value.answer.error !== undefined),
  overload(`${decision}->error(): string`, (value: DecisionValue) => value.answer.error ?? ''),
  overload(`${decision}->allowed(): bool`, (value: DecisionValue) => value.answer.allowed),
  overload(`${decision}->reason(): string`, (value: DecisionValue) => value.answer.reason ?? ''),
]
