// Writes src/schema/data/<group>/<version>.ts and src/schema/data/index.ts: the facts of every API type, one line a field, out of the facts folder.
// node packages/api/scripts/generate-schema.ts  (BERTH_FACTS names the folder that holds api-types.json)
// The form of a line is described in src/schema/notation.ts, which reads it.
import fs from 'node:fs'
import path from 'node:path'
import type { StructSchema, TypeSchema } from '../src/schema/model.ts'
import { createResolver } from '../src/schema/notation.ts'

interface Field { type: string; number?: number; omitempty?: boolean; markers?: string[]; patchStrategy?: string; patchMergeKey?: string }
interface TypeFacts { fields?: Record<string, Field>; alias?: string; markers?: string[]; values?: string[] }
interface PackageFacts { group: string; types: Record<string, TypeFacts> }

const facts = process.env.BERTH_FACTS
if (!facts) {
  console.error('generate-schema: BERTH_FACTS must name the folder that holds api-types.json')
  process.exit(2)
}
const { packages } = JSON.parse(fs.readFileSync(path.join(facts, 'api-types.json'), 'utf8')) as { packages: Record<string, PackageFacts> }
const out = path.join(import.meta.dirname, '../src/schema/data')
const included = Object.keys(packages).filter((name) => /\/v\d+$/.test(name) || name === 'scheduling/v1alpha2')

/** Types with a JSON form of their own. */
const wellKnown: Record<string, string> = {
  'metav1.Time': 'Time', Time: 'Time', 'metav1.MicroTime': 'MicroTime', MicroTime: 'MicroTime', 'metav1.Duration': 'Duration', Duration: 'Duration',
  'resource.Quantity': 'Quantity', 'intstr.IntOrString': 'IntOrString', 'types.UID': 'types.UID', 'types.NodeName': 'types.NodeName',
  'runtime.RawExtension': 'RawExtension', RawExtension: 'RawExtension', FieldsV1: 'FieldsV1', 'metav1.FieldsV1': 'FieldsV1', JSON: 'JSON', byte: 'byte',
}
/** Small structs that the facts do not list as types, and their fields by protobuf number; all live beside the metadata types here. */
const unlisted: Record<string, string[]> = {
  CustomResourceSubresourceStatus: [], GroupVersionKind: ['group', 'version', 'kind'], GroupVersionResource: ['group', 'version', 'resource'], GroupResource: ['group', 'resource'],
}
const prefixHomes: Record<string, string[]> = {
  metav1: ['meta/v1'], corev1: ['core/v1'], apiv1: ['core/v1'], batchv1: ['batch/v1'], authenticationv1: ['authentication/v1'], authorizationv1: ['authorization/v1'],
  v1: ['meta/v1', 'core/v1', 'authentication/v1', 'admissionregistration/v1', 'coordination/v1', 'resource/v1'],
}
/** Types whose JSON form is one of several: an object, a list, a boolean. */
const unions: Record<string, string> = {
  JSONSchemaPropsOrArray: 'JSONSchemaProps []JSONSchemaProps', JSONSchemaPropsOrBool: 'JSONSchemaProps bool', JSONSchemaPropsOrStringArray: 'JSONSchemaProps []string',
}

function reference(go: string, self: string): string {
  if (go.startsWith('*')) return `*${reference(go.slice(1), self)}`
  if (go === '[]byte') return 'bytes'
  if (go.startsWith('[]')) return `[]${reference(go.slice(2), self)}`
  const map = /^map\[(.*?)\](.*)$/.exec(go)
  if (map) return `map[${reference(map[1] ?? '', self)}]${reference(map[2] ?? '', self)}`
  const known = wellKnown[go]
  if (known) return known
  if (!go.includes('.')) return packages[self]?.types[go] || !/^[A-Z]/.test(go) ? go : unlisted[go] ? `meta/v1.${go}` : fail(self, go)
  const [prefix = '', name = ''] = go.split('.')
  if (unlisted[name]) return `meta/v1.${name}`
  const home = [...(prefixHomes[prefix] ?? []), `${self.split('/')[0]}/${prefix}`].find((x) => packages[x]?.types[name])
  if (!home) return fail(self, go)
  return home === self ? name : `${home}.${name}`
}

function fail(self: string, go: string): never {
  throw new Error(`${self}: nothing known about ${go}`)
}

function marksOf(self: string, name: string, field: Field): string[] {
  const markers = field.markers ?? []
  const values = (key: string): string[] => markers.filter((m) => m.startsWith(`${key}=`)).map((m) => m.slice(key.length + 1))
  const marks: string[] = []
  if (!field.omitempty) marks.push('!')
  if (name === 'creationTimestamp') marks.push('omitzero')
  if (markers.includes('required') || (!field.omitempty && !markers.includes('optional') && !markers.includes('k8s:optional'))) marks.push('required')
  const listType = values('listType')[0] ?? values('k8s:listType')[0]
  if (listType === 'map') marks.push(`map=${(values('listMapKey').length > 0 ? values('listMapKey') : values('k8s:listMapKey')).join(',')}`)
  else if (listType) marks.push(listType)
  const shape = values('mapType')[0] ?? values('structType')[0]
  if (shape) marks.push(shape === 'atomic' ? 'atomic' : 'granular')
  if (field.patchStrategy) marks.push(`patch=${field.patchStrategy}`)
  if (field.patchMergeKey) marks.push(`key=${field.patchMergeKey}`)
  const fallback = values('default')[0]
  if (fallback) marks.push(`default=${fallback.startsWith('ref(') ? constant(self, field, fallback) : fallback}`)
  return marks
}

/** A default that names a Go constant, `ref(AzureSharedBlobDisk)`: the value of the field's enumeration that the constant's name holds. */
function constant(self: string, field: Field, reference: string): string {
  const values = packages[self]?.types[field.type.replace('*', '')]?.values ?? []
  const value = values.filter((v) => reference.includes(v)).sort((a, b) => b.length - a.length)[0]
  return JSON.stringify(value ?? fail(self, reference))
}

/** The order in which Go writes the fields of `home.Type`, seen in the objects of facts/roundtrip; an embedded struct stands as `inline:...`. */
const orders = new Map<string, string[]>()

function struct(self: string, name: string, facts: TypeFacts): string {
  const seen = orders.get(`${self}.${name}`)
  // Where no object shows the order, the protobuf numbers come near to it.
  const place = (name: string, field: Field): number => {
    if (name.startsWith('inline:') && field.number === undefined) return -1
    const at = seen?.indexOf(name) ?? -1
    return at < 0 ? 10_000 + (field.number ?? 0) : at
  }
  const lines = Object.entries(facts.fields ?? {})
    .map(([name, field]) => ({ name, field, order: place(name, field) }))
    .sort((a, b) => a.order - b.order)
    .map(({ name, field }) => name.startsWith('inline:')
      ? `...${reference(name.slice('inline:'.length), self)}${field.number === undefined ? '' : ` ${field.number}`}`
      : [name, field.number ?? 0, reference(field.type, self), ...marksOf(self, name, field)].join(' '))
  if (facts.markers?.includes('structType=atomic')) lines.unshift('@atomic')
  return `\n${lines.map((l) => `      ${l}\n`).join('')}    `
}

/** Each type of a package and the text that states it. */
function texts(self: string): Record<string, string> {
  const { types } = packages[self] ?? fail(self, self)
  const out: Record<string, string> = {}
  const add = (name: string, text: string): void => { out[name] = text }
  for (const name of Object.keys(types).sort()) {
    const facts = types[name] ?? {}
    if (wellKnown[name]) continue
    const union = unions[name]
    if (union) add(name, `|${union}`)
    else if (facts.fields) add(name, struct(self, name, facts))
    else if (facts.alias) add(name, ['=', reference(facts.alias, self), ...(facts.markers?.some((m) => m === 'enum' || m === 'k8s:enum') ? facts.values ?? [] : [])].join(' ').replace('= ', '='))
  }
  if (self === 'meta/v1') for (const [name, fields] of Object.entries(unlisted)) add(name, `\n${fields.map((f, i) => `      ${f} ${i + 1} string ! required\n`).join('')}    `)
  return out
}

/** Walks an object beside its schema and notes in which order the fields of each struct stand. */
function learnOrder(type: TypeSchema, value: unknown): void {
  if (type.kind === 'struct' && isObject(value)) learnStruct(type.struct, value)
  else if (type.kind === 'list' && Array.isArray(value)) for (const item of value) learnOrder(type.item, item)
  else if (type.kind === 'map' && isObject(value)) for (const member of Object.values(value)) learnOrder(type.value, member)
  else if (type.kind === 'union') learnOrder(isObject(value) ? type.object : type.other, value)
}

function learnStruct(struct: StructSchema, value: Record<string, unknown>): void {
  const inlines = Object.entries(packages[struct.home]?.types[struct.name]?.fields ?? {}).filter(([name]) => name.startsWith('inline:'))
  const own = (key: string): string => {
    const embedded = struct.embedded.find((e) => e.struct.fields.has(key))
    return (embedded && inlines.find(([, f]) => f.number === embedded.number)?.[0]) ?? key
  }
  const order = [...new Set(Object.keys(value).map(own))]
  const key = `${struct.home}.${struct.name}`
  if (order.length > (orders.get(key)?.length ?? 0)) orders.set(key, order)
  for (const embedded of struct.embedded) learnStruct(embedded.struct, Object.fromEntries(Object.entries(value).filter(([k]) => embedded.struct.fields.has(k))))
  for (const [k, member] of Object.entries(value)) {
    const field = struct.fields.get(k)
    if (field) learnOrder(field.type, member)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function learnOrders(folder: string): void {
  const homes = new Map(included.map((home) => [`${packages[home]?.group}/${home.split('/')[1]}`, home]))
  const resolver = createResolver(Object.fromEntries(included.map((home) => [home, { group: packages[home]?.group ?? '', types: texts(home) }])))
  for (const file of fs.readdirSync(folder).filter((f) => f.endsWith('.json'))) {
    const [kind = '', version = '', ...group] = file.replace('.json', '').split('.').reverse()
    const home = homes.get(`${group.reverse().join('.').replace(/^core$/, '')}/${version}`)
    const struct = home === undefined ? undefined : resolver.struct(home, kind) ?? resolver.struct('meta/v1', kind)
    if (struct) learnStruct(struct, JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as Record<string, unknown>)
  }
}

function variable(name: string): string {
  return name.replace(/\/(.)/, (_, c: string) => c.toUpperCase())
}

function emit(self: string): string {
  const group = packages[self]?.group ?? ''
  const body = Object.entries(texts(self)).map(([name, text]) => `    ${name}: \`${text.replace(/[`\\]/g, '\\$&')}\`,`)
  return `// The types of ${group === '' ? 'the core group' : group} ${self.split('/')[1]}, one line a field (see ../../notation.ts). Generated by scripts/generate-schema.ts; do not edit.
import type { PackageText } from '../../notation.ts'

export const ${variable(self)}: PackageText = {
  group: '${group}',
  types: {
${body.join('\n')}
  },
}
`
}

learnOrders(path.join(facts, 'roundtrip'))
for (const name of included) {
  const file = path.join(out, `${name}.ts`)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, emit(name))
}
fs.writeFileSync(path.join(out, 'index.ts'), `// Every package of API types. Generated by scripts/generate-schema.ts; do not edit.
import type { PackageText } from '../notation.ts'
${included.map((name) => `import { ${variable(name)} } from './${name}.ts'`).join('\n')}

export const packages: Record<string, PackageText> = {
${included.map((name) => `  '${name}': ${variable(name)},`).join('\n')}
}
`)
console.log(`${included.length} packages of facts written to ${path.relative(process.cwd(), out)}`)
