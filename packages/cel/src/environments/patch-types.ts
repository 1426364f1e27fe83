import { readsFirst } from '../functions/cost.ts'
import { overload } from '../functions/overload.ts'
import * as types from '../types/types.ts'
import { CelList, CelMap } from '../values/containers.ts'
import type { Overload } from '../functions/overload.ts'
import type { CelType, TypeTable } from '../types/types.ts'
import type { Value } from '../values/value.ts'

const { stringType: text } = types

/** The type of the objects that an ApplyConfiguration expression makes. */
export const patchObjectType: CelType = { ...types.objectType('Object', []), open: true }

/** One operation of a JSON patch: `JSONPatch{op: "add", path: "/spec/x", value: 1}`. */
const operationType = types.objectType('JSONPatch', [['op', text], ['path', text], ['from', text], ['value', types.dynType]])

/** The type of what a JSONPatch expression makes. */
export const jsonPatchType = types.listType(operationType)

/** `Object`, `Object.spec`, `Object.spec.template`: a type for the object and for each of its parts, with any fields; and `JSONPatch`. */
export const patchTypes: TypeTable = {
  get(name) {
    if (name === 'JSONPatch') return operationType
    return name === 'Object' || name.startsWith('Object.') ? { ...types.objectType(name, []), open: true } : undefined
  },
}

/** `jsonpatch.escapeKey(key)`: a key as a JSON pointer spells it. */
export const jsonPatchFunctions: readonly Overload[] = [
  overload('jsonpatch.escapeKey(string): string', (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1'), readsFirst()),
]

/**
 * What is wrong with the names of an object's parts: the part at `spec.template` of an `Object` must be an `Object.spec.template`. Lists and maps on the way
 * have no names. Of a list of JSONPatch operations, their values are asked. In upstream's words, one line each; undefined where all is well.
 */
export function misnamedParts(value: Value): string | undefined {
  if (value instanceof CelList) {
    for (const operation of value) {
      const problem = operation instanceof CelMap ? misnamedParts(operation.get('value') ?? null) : undefined
      if (problem !== undefined) return problem
    }
    return undefined
  }
  if (!(value instanceof CelMap) || value.objectType === undefined) return undefined
  const problems = [...misnamed(value, value.objectType.name)]
  return problems.length === 0 ? undefined : problems.join('\n')
}

function* misnamed(value: Value, expected: string): Generator<string> {
  if (value instanceof CelList) {
    for (const item of value) yield* misnamed(item, expected)
    return
  }
  if (!(value instanceof CelMap)) return
  const { objectType } = value
  if (objectType !== undefined && objectType.name !== expected) {
    yield `unexpected type name ${JSON.stringify(objectType.name)}, expected ${JSON.stringify(expected)}, which matches field name path from root Object type`
  }
  for (const [key, part] of value.entries()) yield* misnamed(part, objectType === undefined ? expected : `${expected}.${String(key)}`)
}
