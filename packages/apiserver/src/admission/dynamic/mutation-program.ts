// A MutatingAdmissionPolicy's expressions, compiled in the order of its variables, and what they make of an object.
import { decode, DecodeError, jsonPatch, layOver, PatchError, PatchTestError, schemaOf } from '@berth/api'
import type { Json, ObjectSchema } from '@berth/api'
import { admissionEnvironment, misnamedParts, toJson } from '@berth/cel'
import type { MutatingAdmissionPolicy } from '@berth/api/types/admissionregistration/v1'
import { StatusError } from '../../errors.ts'
import type { AdmissionAttributes, ApiObject, ResourceStore } from '../../interfaces.ts'
import { compileFor, compileVariables, Evaluation, requestBudget } from './evaluation.ts'
import type { Compiled } from './evaluation.ts'

type PatchType = 'ApplyConfiguration' | 'JSONPatch'

/** One mutation of a policy, compiled. */
export interface Mutation { readonly patchType: PatchType, readonly program: Compiled }

export interface MutationProgram {
  readonly variables: ReadonlyMap<string, Compiled>
  readonly mutations: readonly Mutation[]
  readonly withParams: boolean
}

/** Compiles a policy. Errors stay with the expressions they are of. */
export function compileMutations({ spec }: MutatingAdmissionPolicy): MutationProgram {
  const params = spec?.paramKind !== undefined
  const { compiled, types } = compileVariables(spec?.variables, (variables) => admissionEnvironment({ authorizer: true, params, variables }))
  const environment = admissionEnvironment({ authorizer: true, params, variables: types, patches: true })
  return {
    variables: compiled, withParams: params,
    mutations: (spec?.mutations ?? []).flatMap(({ patchType, applyConfiguration, jsonPatch: patch }): Mutation[] => {
      const expression = patchType === 'JSONPatch' ? patch?.expression : applyConfiguration?.expression
      return expression === undefined ? [] : [{ patchType: patchType as PatchType, program: compileFor(expression, environment) }]
    }),
  }
}

/**
 * What a mutation makes of the request's object: an object that is not yet read as one of its kind. Each mutation has a budget of its own.
 * Throws an Error in upstream's words where there is none, or a StatusError that is the answer whatever the policy says of failures.
 */
export function runMutation({ patchType, program }: Mutation, { variables }: MutationProgram, inputs: Readonly<Record<string, unknown>>, object: ApiObject, attributes: AdmissionAttributes, store: ResourceStore): unknown {
  if (program.error !== undefined) throw new Error(program.error)
  const { value, error } = new Evaluation(inputs, requestBudget, variables).run(program)
  if (error !== undefined) throw new Error(error)
  const misnamed = misnamedParts(value)
  if (misnamed !== undefined) throw new Error(`type mismatch: ${misnamed}`)
  const schema = schemaOf(attributes.kind) ?? store.schemaOf(attributes.resource)
  if (!schema) throw new Error('error applying patch: type converter must not be nil')
  return patchType === 'JSONPatch' ? patched(object, toJson(value), schema) : applied(object, toJson(value), schema)
}

function applied(object: ApiObject, configuration: unknown, schema: ObjectSchema): unknown {
  try {
    return layOver(schema, object, configuration)
  } catch (error) {
    throw new Error(`error applying patch: ${(error as Error).message}`, { cause: error })
  }
}

function patched(object: ApiObject, operations: unknown, schema: ObjectSchema): unknown {
  let result: Json
  try {
    result = jsonPatch(object, operations)
  } catch (error) {
    // A test that fails is a condition: the policy has nothing to do here.
    if (error instanceof PatchTestError) return object
    if (!(error instanceof PatchError)) throw error
    throw new Error(`JSON Patch: ${error.cause instanceof Error ? error.cause.message : error.message}`, { cause: error })
  }
  try {
    decode(schema, result, 'strict')
    return result
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new StatusError(500, 'InternalError', `Internal error occurred: ${error.message}`, undefined, { cause: error })
  }
}
