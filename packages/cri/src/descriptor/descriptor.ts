import document from './cri-v1.json' with { type: 'json' }

/** One field of a message, as protobufjs' JSON descriptors write it. */
export interface FieldDescriptor {
  type: string
  id: number
  rule?: 'repeated'
  /** Present on map fields: the type of the key. */
  keyType?: string
}

export interface MessageDescriptor {
  fields: Record<string, FieldDescriptor>
  nested?: Record<string, TypeDescriptor>
}

export interface EnumDescriptor {
  values: Record<string, number>
}

export interface MethodDescriptor {
  requestType: string
  responseType: string
  responseStream?: true
}

export interface ServiceDescriptor {
  methods: Record<string, MethodDescriptor>
}

export type TypeDescriptor = MessageDescriptor | EnumDescriptor | ServiceDescriptor

/** The protobuf package of CRI v1: the prefix of every method's path. */
export const packageName = 'runtime.v1'

/** Everything that CRI v1 declares, nested declarations (of which there is one, an enumeration) lifted to the top. */
export const declarations: ReadonlyMap<string, TypeDescriptor> = flatten(document.nested.runtime.nested.v1.nested as Record<string, TypeDescriptor>)

function flatten(nested: Record<string, TypeDescriptor>): Map<string, TypeDescriptor> {
  const all = new Map<string, TypeDescriptor>()
  for (const [name, type] of Object.entries(nested)) {
    all.set(name, type)
    if ('fields' in type && type.nested) for (const [innerName, inner] of flatten(type.nested)) all.set(innerName, inner)
  }
  return all
}
