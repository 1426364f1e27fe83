import type { FieldSchema, Json, TypeSchema } from '../schema/model.ts'
import { normalizeStruct } from './normalize.ts'

/** What Go writes for the zero value of a type. */
export function zeroValue(type: TypeSchema): Json {
  switch (type.kind) {
    case 'string': return ''
    case 'boolean': return false
    case 'int32':
    case 'int64':
    case 'float64':
    case 'intOrString': return 0
    case 'quantity': return '0'
    case 'duration': return '0s'
    case 'struct': return normalizeStruct(type.struct, {})
    default: return null
  }
}

/** Whether Go writes a field that holds its zero value: always without `omitempty`, and even with it where the type is a struct in Go. */
export function isWrittenWhenZero(field: FieldSchema): boolean {
  if (field.always) return true
  if (field.pointer || field.omitZero) return false
  switch (field.type.kind) {
    case 'struct':
    case 'union':
    case 'time':
    case 'microTime':
    case 'quantity':
    case 'intOrString':
    case 'duration': return true
    case 'any': return field.type.goType === 'runtime.RawExtension'
    default: return false
  }
}
