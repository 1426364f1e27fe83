/**
 * Reads the lines of the data files into schemas, each type when it is first asked for: a program holds the text, and the structure of what it uses.
 *
 *     name number type [marks]      a field; type is Go's, with `package/version.` before a type of another package
 *     ...Type [number]              another struct's fields stand here
 *     @atomic                       the struct is owned as one value
 *     =type [value ...]             (a whole type) another name for `type`, with the values of an enumeration
 *     |Struct other                 (a whole type) a struct or something else
 *
 * Marks: `!` written even when empty; `omitzero`; `required`; `map=key,key` `set` `atomic` `granular` how apply merges;
 * `patch=strategy,strategy` and `key=field` for strategic merge patch; `default=JSON`.
 */
import type { EmbeddedSchema, FieldSchema, Json, ScalarKind, StructRef, StructSchema, TypeSchema } from './model.ts'

const scalars: Record<string, [ScalarKind, string]> = {
  string: ['string', 'string'], bool: ['boolean', 'bool'], int32: ['int32', 'int32'], int64: ['int64', 'int64'], float64: ['float64', 'float64'], bytes: ['bytes', '[]uint8'],
  Time: ['time', 'v1.Time'], MicroTime: ['microTime', 'v1.MicroTime'], Duration: ['duration', 'v1.Duration'], Quantity: ['quantity', 'resource.Quantity'],
  IntOrString: ['intOrString', 'intstr.IntOrString'], 'types.UID': ['string', 'types.UID'], 'types.NodeName': ['string', 'types.NodeName'],
}

/** A package of types as the data files state it: its API group, and each type's text. */
export interface PackageText {
  readonly group: string
  readonly types: Readonly<Record<string, string>>
}

interface Marks { listType: 'atomic' | 'set' | 'map'; declared: boolean; keys: readonly string[]; shape?: 'atomic' | 'granular' }
const noMarks: Marks = { listType: 'atomic', declared: false, keys: [] }

class Resolver {
  readonly #text: Readonly<Record<string, PackageText>>
  readonly #structs = new Map<string, StructSchema>()

  constructor(text: Readonly<Record<string, PackageText>>) {
    this.#text = text
  }

  /** The struct `name` of package `home`, or undefined where there is no such struct. */
  struct(home: string, name: string): StructSchema | undefined {
    const key = `${home}.${name}`
    const known = this.#structs.get(key)
    if (known) return known
    const types = this.#text[home]?.types
    // The name may be anything that a client wrote: `constructor` is no type.
    const text = types && Object.hasOwn(types, name) ? types[name] : undefined
    if (text === undefined || text.startsWith('=') || text.startsWith('|')) return undefined
    const made = this.#parse(home, name, text)
    this.#structs.set(key, made)
    return made
  }

  #parse(home: string, name: string, text: string): StructSchema {
    const fields = new Map<string, FieldSchema>()
    const embedded: EmbeddedSchema[] = []
    let atomic = false
    let root = false
    for (const raw of text.split('\n')) {
      const line = raw.trim()
      if (line === '') continue
      if (line === '@atomic') {
        atomic = true
      } else if (line.startsWith('...')) {
        const [reference = '', number] = line.slice(3).split(' ')
        const struct = this.#named(reference, home)
        if (number === undefined) root = true
        else embedded.push({ number: Number(number), struct })
        for (const field of struct.fields.values()) fields.set(field.name, field)
      } else {
        const field = this.#field(line, home)
        fields.set(field.name, field)
      }
    }
    return { name, home, goType: goName(home, name), fields, embedded, atomic, root }
  }

  #named(reference: string, home: string): StructSchema {
    const [from, name] = split(reference, home)
    const struct = this.struct(from, name)
    if (!struct) throw new Error(`schema data: ${home} speaks of ${reference}, which is no struct`)
    return struct
  }

  #field(line: string, home: string): FieldSchema {
    const cut = line.indexOf(' default=')
    const [name = '', number, type = '', ...marks] = (cut < 0 ? line : line.slice(0, cut)).split(' ')
    const fallback = cut < 0 ? undefined : line.slice(cut + ' default='.length)
    const value = (key: string): string[] => marks.find((m) => m.startsWith(`${key}=`))?.slice(key.length + 1).split(',') ?? []
    const keys = value('map')
    const mergeKey = value('key')[0]
    const atomic = marks.includes('atomic')
    const listType = keys.length > 0 ? 'map' : marks.includes('set') ? 'set' : 'atomic'
    const isList = /^\*?\[\]/.test(type) || this.#isListAlias(type, home)
    const shape = isList ? undefined : atomic ? 'atomic' : marks.includes('granular') ? 'granular' : undefined
    return {
      name,
      number: Number(number),
      type: this.type(type, home, { listType, declared: listType !== 'atomic' || (isList && atomic), keys, ...(shape && { shape }) }),
      pointer: type.startsWith('*'),
      always: marks.includes('!'),
      omitZero: marks.includes('omitzero'),
      required: marks.includes('required'),
      patchStrategy: value('patch'),
      ...(shape !== undefined && { mapType: shape }),
      ...(mergeKey !== undefined && { patchMergeKey: mergeKey }),
      ...(fallback !== undefined && { default: JSON.parse(fallback) as Json }),
    }
  }

  #isListAlias(type: string, home: string): boolean {
    if (scalars[type] || type.includes('[')) return false
    const [from, name] = split(type.replace('*', ''), home)
    return this.#text[from]?.types[name]?.startsWith('=[]') ?? false
  }

  /** The schema of a Go type expression of the data files. */
  type(go: string, home: string, marks: Marks = noMarks): TypeSchema {
    if (go.startsWith('*')) return this.type(go.slice(1), home, marks)
    const scalar = scalars[go]
    if (scalar) return { kind: scalar[0], goType: scalar[1] }
    if (go === 'byte') return { kind: 'int32', goType: 'uint8' }
    if (go === 'JSON') return { kind: 'any', goType: 'v1.JSON', objectOnly: false, atomic: true }
    if (go === 'RawExtension') return { kind: 'any', goType: 'runtime.RawExtension', objectOnly: true, atomic: true }
    if (go === 'FieldsV1') return { kind: 'any', goType: 'v1.FieldsV1', objectOnly: true, atomic: true }
    if (go.startsWith('[]')) return this.#list(go, home, marks)
    const map = /^map\[(.*?)\](.*)$/.exec(go)
    if (map) return this.#map(`map[${goTypeOf(map[1] ?? '', home)}]${goTypeOf(map[2] ?? '', home)}`, map[2] ?? '', home, marks)
    return this.#reference(go, home, marks)
  }

  #list(go: string, home: string, marks: Marks): TypeSchema {
    return lazily<TypeSchema>({ kind: 'list', goType: goTypeOf(go, home), listType: marks.listType, declared: marks.declared, keys: marks.keys }, 'item', () => this.type(go.slice(2), home))
  }

  #map(goType: string, value: string, home: string, marks: Marks): TypeSchema {
    return lazily<TypeSchema>({ kind: 'map', goType, atomic: marks.shape === 'atomic' }, 'value', () => this.type(value, home))
  }

  #reference(go: string, home: string, marks: Marks): TypeSchema {
    const [from, name] = split(go, home)
    const text = this.#text[from]?.types[name]
    if (text === undefined) throw new Error(`schema data: ${home} speaks of ${go}, which is not there`)
    const goType = goName(from, name)
    if (text.startsWith('|')) {
      const [object = '', other = ''] = text.slice(1).split(' ')
      const self = { kind: 'union' as const, goType }
      return lazily<TypeSchema>(lazily(self, 'object', () => this.#reference(object, from, noMarks) as StructRef), 'other', () => this.type(other, from))
    }
    if (text.startsWith('=')) {
      const [target = '', ...values] = text.slice(1).split(' ')
      const type = this.type(target, from, marks)
      // The alias keeps its own name in messages; its parts stay lazy.
      const named = Object.create(type, { goType: { value: goType, enumerable: true }, ...(values.length > 0 && { enum: { value: values, enumerable: true } }) }) as TypeSchema
      return named
    }
    const isAtomic = marks.shape === 'atomic' || (marks.shape === undefined && text.includes('@atomic'))
    return lazily<TypeSchema>({ kind: 'struct', goType, atomic: isAtomic }, 'struct', () => this.#named(name, from))
  }
}

/** `base` with a property that is worked out when first read. */
function lazily<T>(base: object, key: string, make: () => unknown): T {
  Object.defineProperty(base, key, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make()
      Object.defineProperty(base, key, { value, enumerable: true })
      return value
    },
  })
  return base as T
}

function split(reference: string, home: string): [string, string] {
  const dot = reference.lastIndexOf('.')
  return dot < 0 ? [home, reference] : [reference.slice(0, dot), reference.slice(dot + 1)]
}

function goName(home: string, name: string): string {
  return `${home.slice(home.indexOf('/') + 1)}.${name}`
}

/** Go's own name for a type expression, as reflection prints it. */
function goTypeOf(go: string, home: string): string {
  if (go.startsWith('*')) return `*${goTypeOf(go.slice(1), home)}`
  if (go.startsWith('[]')) return `[]${goTypeOf(go.slice(2), home)}`
  const scalar = scalars[go]
  if (scalar) return scalar[1]
  if (go === 'RawExtension') return 'runtime.RawExtension'
  if (go === 'JSON' || go === 'FieldsV1') return `v1.${go}`
  const map = /^map\[(.*?)\](.*)$/.exec(go)
  if (map) return `map[${goTypeOf(map[1] ?? '', home)}]${goTypeOf(map[2] ?? '', home)}`
  const [from, name] = split(go, home)
  return /^[A-Z]/.test(name) ? goName(from, name) : go
}

/** Makes a resolver of the given packages; types are parsed on first use and kept. */
export function createResolver(text: Readonly<Record<string, PackageText>>): {
  struct(home: string, name: string): StructSchema | undefined
} {
  return new Resolver(text)
}
