/**
 * The structure of an API type, as everything else here reads it: decoding, output, patches, apply, OpenAPI.
 * Built-in types are read out of the data files (notation.ts); a CustomResourceDefinition becomes the same structure at run time.
 */

/** JSON values as the parser gives them: a number that a double cannot hold is a bigint. */
export type Json = null | boolean | number | bigint | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export type ScalarKind =
  | 'string' | 'boolean' | 'int32' | 'int64' | 'float64'
  /** Base64 in JSON, []byte in Go. */
  | 'bytes'
  | 'time' | 'microTime' | 'duration' | 'quantity' | 'intOrString'

/** A value without parts. `goType` is the name that upstream's error messages use, such as `v1.Protocol`. */
export interface ScalarSchema {
  readonly kind: ScalarKind
  readonly goType: string
  /** The known values of an enumeration; decoding does not check them, validation does. */
  readonly enum?: readonly string[]
}

/** Any JSON. `objectOnly` types (RawExtension, FieldsV1) are objects in practice and are published as such. */
export interface AnySchema {
  readonly kind: 'any'
  readonly goType: string
  readonly objectOnly: boolean
  /** How server-side apply tracks it: as one value, or field by field as deduced from its content. */
  readonly atomic: boolean
}

export interface ListSchema {
  readonly kind: 'list'
  readonly goType: string
  readonly item: TypeSchema
  /** How server-side apply merges it; a list that says nothing is atomic. */
  readonly listType: 'atomic' | 'set' | 'map'
  /** False where `atomic` only follows from the type's saying nothing. */
  readonly declared: boolean
  /** The fields that tell the items of a `map` list apart. */
  readonly keys: readonly string[]
}

export interface MapSchema {
  readonly kind: 'map'
  readonly goType: string
  readonly value: TypeSchema
  readonly atomic: boolean
}

/** A place where a struct is used; the struct itself is resolved when first needed. */
export interface StructRef {
  readonly kind: 'struct'
  readonly goType: string
  readonly struct: StructSchema
  readonly atomic: boolean
}

/** A value that is a struct, or else a list or a boolean (three types of CustomResourceDefinition). */
export interface UnionSchema {
  readonly kind: 'union'
  readonly goType: string
  readonly object: StructRef
  readonly other: TypeSchema
}

export type TypeSchema = ScalarSchema | AnySchema | ListSchema | MapSchema | StructRef | UnionSchema

export interface FieldSchema {
  readonly name: string
  /** The protobuf field number; 0 where there is none. */
  readonly number: number
  readonly type: TypeSchema
  /** A Go pointer: a zero value differs from an absent one. */
  readonly pointer: boolean
  /** Written even when empty, as Go does without `omitempty`. */
  readonly always: boolean
  /** Left out when zero although it is a struct in Go. */
  readonly omitZero: boolean
  readonly required: boolean
  /** Strategic merge patch: `merge`, `replace`, `retainKeys`. */
  readonly patchStrategy: readonly string[]
  readonly patchMergeKey?: string
  /** What the field itself says of a map or struct; its type carries what follows. */
  readonly mapType?: 'atomic' | 'granular'
  /** The value that stands in where the field is a list key that was left out. */
  readonly default?: Json
}

/** A part of a struct whose fields stand beside the struct's own in JSON, and are a message of their own in protobuf. */
export interface EmbeddedSchema {
  readonly number: number
  readonly struct: StructSchema
}

export interface StructSchema {
  /** The bare type name, `PodSpec`. */
  readonly name: string
  /** The package that holds it, `core/v1`. */
  readonly home: string
  readonly goType: string
  /** All fields in the order Go writes them, embedded ones in their place. */
  readonly fields: ReadonlyMap<string, FieldSchema>
  readonly embedded: readonly EmbeddedSchema[]
  readonly atomic: boolean
  /** Has apiVersion and kind of its own. */
  readonly root: boolean
  /** Unknown fields are kept (custom resources). */
  readonly preserveUnknown?: boolean
}

/** A struct that is a kind of the API. */
export interface ObjectSchema extends StructSchema {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}
