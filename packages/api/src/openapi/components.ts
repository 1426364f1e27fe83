import { packages } from '../schema/data/index.ts'
import { homeOf, schemaOf, structOf } from '../schema/registry.ts'
import { customComponent, customName } from './custom.ts'
import type { FieldSchema, JsonObject, StructSchema, TypeSchema } from '../schema/model.ts'
import type { Descriptions } from './descriptions.ts'

export type Node = Record<string, unknown>

/** Kinds of the metadata package that are registered in every group; the others belong to the core version alone. */
const inEveryGroup = new Set(['DeleteOptions', 'WatchEvent'])
const zeros: Record<string, unknown> = { string: '', bytes: undefined, boolean: false, int32: 0, int64: 0, float64: 0 }

/** The components of an OpenAPI document: each type that is asked for, and all types that it leads to. */
export class Components {
  readonly schemas: Record<string, Node> = {}
  readonly #group: string
  readonly #version: string
  readonly #describe: Descriptions
  readonly #custom = new Map<string, Node>()

  constructor(group: string, version: string, describe: Descriptions) {
    this.#group = group
    this.#version = version
    this.#describe = describe
  }

  /** Puts in a custom kind and its list: `kind` knows them from then on. */
  custom(kind: string, schema: JsonObject): void {
    const gvk = (kind: string): Node => ({ 'x-kubernetes-group-version-kind': [{ group: this.#group, kind, version: this.#version }] })
    const [group, version] = [this.#group, this.#version]
    const typeMeta = { apiVersion: { ...this.#described('meta/v1', 'TypeMeta', 'apiVersion'), type: 'string' }, kind: { ...this.#described('meta/v1', 'TypeMeta', 'kind'), type: 'string' } }
    const own = this.#named(customName(group, version, kind), () => ({ ...customComponent(schema, { allOf: [this.meta('ObjectMeta')] }, typeMeta), ...gvk(kind) }))
    const list = this.#named(customName(group, version, `${kind}List`), () => ({
      description: `${kind}List is a list of ${kind}`, type: 'object', required: ['items'],
      properties: { ...typeMeta, items: { type: 'array', items: own }, metadata: { allOf: [this.meta('ListMeta')] } }, ...gvk(`${kind}List`),
    }))
    this.#custom.set(kind, own).set(`${kind}List`, list)
  }

  /** A reference to a kind of the API, whose schema is put in; undefined for a kind that is not known. */
  kind(group: string, version: string, kind: string): Node | undefined {
    const custom = group === this.#group && version === this.#version ? this.#custom.get(kind) : undefined
    if (custom) return custom
    const schema = schemaOf({ group, version, kind })
    const home = homeOf(group, version)
    const struct = schema && structOf(home !== undefined && structOf(home, kind) ? home : 'meta/v1', kind)
    return struct && this.struct(struct)
  }

  /** A reference to a type of the metadata package by name. */
  meta(name: string): Node {
    const struct = structOf('meta/v1', name)
    if (struct) return this.struct(struct)
    if (name === 'Patch') return this.#named('io.k8s.apimachinery.pkg.apis.meta.v1.Patch', () => ({ type: 'object', ...this.#described('meta/v1', 'Patch') }))
    if (name === 'WatchEvent') return this.#named('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent', () => this.#watchEvent())
    throw new Error(`no type ${name} in meta/v1`)
  }

  struct(struct: StructSchema): Node {
    return this.#named(`${prefixOf(struct.home)}.${struct.name}`, () => this.#object(struct))
  }

  #named(name: string, make: () => Node): Node {
    if (!Object.hasOwn(this.schemas, name)) {
      // The place is taken first: types may lead back to themselves.
      this.schemas[name] = {}
      Object.assign(this.schemas[name], make())
    }
    return { $ref: `#/components/schemas/${name}` }
  }

  #described(home: string, type: string, field = ''): Node {
    const text = this.#describe(home, type, field)
    return text === undefined ? {} : { description: text }
  }

  #object(struct: StructSchema): Node {
    const properties: Record<string, Node> = {}
    const required: string[] = []
    for (const field of struct.fields.values()) {
      properties[field.name] = { ...this.#described(struct.home, struct.name, field.name), ...this.#field(field) }
      if (field.required) required.push(field.name)
    }
    return {
      ...this.#described(struct.home, struct.name), type: 'object', ...(Object.keys(properties).length > 0 && { properties }), ...(required.length > 0 && { required }),
      ...(struct.atomic && { 'x-kubernetes-map-type': 'atomic' }), ...(struct.root && { 'x-kubernetes-group-version-kind': this.#kinds(struct) }),
    }
  }

  #kinds(struct: StructSchema): Node[] {
    const own = { group: this.#group, kind: struct.name, version: this.#version }
    if (struct.home !== 'meta/v1') {
      const version = struct.home.slice(struct.home.indexOf('/') + 1)
      return [{ group: groupOf(struct.home), kind: struct.name, version }]
    }
    const core = { group: '', kind: struct.name, version: 'v1' }
    return inEveryGroup.has(struct.name) && this.#group !== '' ? [core, own] : [core]
  }

  #watchEvent(): Node {
    const core = { group: '', kind: 'WatchEvent', version: 'v1' }
    return {
      ...this.#described('meta/v1', 'WatchEvent'), type: 'object',
      properties: { object: { allOf: [this.#wellKnown('RawExtension')] }, type: { default: '', type: 'string' } }, required: ['type', 'object'],
      'x-kubernetes-group-version-kind': this.#group === '' ? [core] : [core, { group: this.#group, kind: 'WatchEvent', version: this.#version }],
    }
  }

  #wellKnown(name: 'RawExtension' | 'FieldsV1' | 'Time' | 'MicroTime' | 'Duration' | 'Quantity' | 'IntOrString'): Node {
    const [full, form] = wellKnown[name]
    return this.#named(full, () => ({ ...this.#described('meta/v1', name), ...form }))
  }

  #field(field: FieldSchema): Node {
    const node = wrap(this.#type(field.type))
    const fallback = field.default ?? this.#zero(field)
    return {
      ...node, ...(fallback !== undefined && { default: fallback }), ...listMarks(field.type), ...(field.mapType !== undefined && { 'x-kubernetes-map-type': field.mapType }),
      ...(field.patchMergeKey !== undefined && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
      ...(field.patchStrategy.length > 0 && { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') }),
    }
  }

  /** The default that upstream publishes of a field that is always there: its zero value. */
  #zero(field: FieldSchema): unknown {
    if (field.pointer) return undefined
    if (field.type.kind === 'struct') return {}
    return field.always ? zeros[field.type.kind] : undefined
  }

  #type(type: TypeSchema): Node {
    switch (type.kind) {
      case 'string': return { type: 'string', ...(type.enum && { enum: [...type.enum].sort() }) }
      case 'boolean': return { type: 'boolean' }
      case 'int32': return { type: 'integer', format: 'int32' }
      case 'int64': return { type: 'integer', format: 'int64' }
      case 'float64': return { type: 'number', format: 'double' }
      case 'bytes': return { type: 'string', format: 'byte' }
      case 'time': return this.#wellKnown('Time')
      case 'microTime': return this.#wellKnown('MicroTime')
      case 'duration': return this.#wellKnown('Duration')
      case 'quantity': return this.#wellKnown('Quantity')
      case 'intOrString': return this.#wellKnown('IntOrString')
      case 'any':
        if (type.goType === 'v1.JSON') return this.#named(`${prefixOf('apiextensions/v1')}.JSON`, () => this.#described('apiextensions/v1', 'JSON'))
        return this.#wellKnown(type.goType === 'v1.FieldsV1' ? 'FieldsV1' : 'RawExtension')
      case 'union': {
        const name = type.goType.slice(type.goType.indexOf('.') + 1)
        return this.#named(`${prefixOf(type.object.struct.home)}.${name}`, () => this.#described(type.object.struct.home, name))
      }
      case 'struct': return this.struct(type.struct)
      case 'list': return { type: 'array', items: this.#part(type.item) }
      case 'map': return { type: 'object', additionalProperties: this.#part(type.value) }
    }
  }

  /** An item of a list or map: with the zero value as its default, as upstream publishes it. */
  #part(type: TypeSchema): Node {
    const node = this.#type(type)
    const fallback = type.kind === 'struct' ? {} : zeros[type.kind]
    return fallback === undefined ? node : { ...wrap(node), default: fallback }
  }
}

/** A reference may have no neighbours, so one that needs some goes into an allOf. */
function wrap(node: Node): Node {
  return '$ref' in node ? { allOf: [node] } : node
}

function listMarks(type: TypeSchema): Node {
  if (type.kind !== 'list' || !type.declared) return {}
  return { ...(type.keys.length > 0 && { 'x-kubernetes-list-map-keys': [...type.keys] }), 'x-kubernetes-list-type': type.listType }
}

const wellKnown: Record<string, [string, Node]> & Record<'RawExtension' | 'FieldsV1' | 'Time' | 'MicroTime' | 'Duration' | 'Quantity' | 'IntOrString', [string, Node]> = {
  RawExtension: ['io.k8s.apimachinery.pkg.runtime.RawExtension', { type: 'object' }],
  FieldsV1: ['io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1', { type: 'object' }],
  Time: ['io.k8s.apimachinery.pkg.apis.meta.v1.Time', { type: 'string', format: 'date-time' }],
  MicroTime: ['io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime', { type: 'string', format: 'date-time' }],
  Duration: ['io.k8s.apimachinery.pkg.apis.meta.v1.Duration', { type: 'string' }],
  Quantity: ['io.k8s.apimachinery.pkg.api.resource.Quantity', { oneOf: [{ type: 'string' }, { type: 'number' }] }],
  IntOrString: ['io.k8s.apimachinery.pkg.util.intstr.IntOrString', { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }],
}

/** The name space of a package's types, as upstream publishes them. */
function prefixOf(home: string): string {
  const [group = '', version = ''] = home.split('/')
  if (home === 'meta/v1') return 'io.k8s.apimachinery.pkg.apis.meta.v1'
  if (group === 'apiextensions') return `io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.${version}`
  if (group === 'apiregistration') return `io.k8s.kube-aggregator.pkg.apis.apiregistration.${version}`
  return `io.k8s.api.${group}.${version}`
}

function groupOf(home: string): string {
  return packages[home]?.group ?? ''
}
