import { CelEvaluationError } from '../errors.ts'
import { CelList, CelMap } from '../values/containers.ts'
import { typeNameOf } from '../values/runtime-type.ts'
import type { Value } from '../values/value.ts'

/** What a comprehension visits: elements or keys, or with `pairs` positions and elements, keys and values. */
export function* elements(over: Value, pairs: boolean): Generator<[Value, Value]> {
  if (over instanceof CelList) {
    for (let index = 0; index < over.size; index++) yield pairs ? [BigInt(index), over.at(index)] : [over.at(index), null]
  } else if (over instanceof CelMap) {
    for (const key of over.keys()) yield [key, pairs ? over.get(key) ?? null : null]
  } else throw new CelEvaluationError(`got '${goTypes[typeNameOf(over)] ?? typeNameOf(over)}', expected iterable type`)
}

// Upstream names its own types in this error.
const goTypes: Readonly<Record<string, string>> = {
  'bool': 'types.Bool', 'bytes': 'types.Bytes', 'double': 'types.Double', 'int': 'types.Int', 'uint': 'types.Uint', 'string': 'types.String', 'null_type': 'types.Null',
  'google.protobuf.Timestamp': 'types.Timestamp', 'google.protobuf.Duration': 'types.Duration', 'type': '*types.Type', 'optional_type': '*types.Optional',
}
