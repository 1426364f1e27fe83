// Writes src/types/<group>/<version>.ts: the TypeScript wire types of the Kubernetes API, out of the facts folder.
// node packages/api/scripts/generate-types.ts  (BERTH_FACTS names the folder that holds api-types.json)
import fs from 'node:fs'
import path from 'node:path'

interface Field { type: string; omitempty?: boolean; markers?: string[] }
interface TypeFacts { fields?: Record<string, Field>; alias?: string; markers?: string[]; values?: string[] }
interface PackageFacts { group: string; types: Record<string, TypeFacts> }

const facts = process.env.BERTH_FACTS
if (!facts) {
  console.error('generate-types: BERTH_FACTS must name the folder that holds api-types.json')
  process.exit(2)
}
const { packages } = JSON.parse(fs.readFileSync(path.join(facts, 'api-types.json'), 'utf8')) as { packages: Record<string, PackageFacts> }
const out = path.join(import.meta.dirname, '../src/types')

const included = Object.keys(packages).filter((name) => /\/v\d+$/.test(name) || name === 'scheduling/v1alpha2')

/** Wire forms of the well-known Go types that have their own JSON encoding. */
const scalars: Record<string, string> = {
  string: 'string', bool: 'boolean', int32: 'number', int64: 'number', float64: 'number', byte: 'number', int: 'number', uint32: 'number',
  'metav1.Time': 'string', 'metav1.MicroTime': 'string', Time: 'string', MicroTime: 'string', 'time.Time': 'string', 'metav1.Duration': 'string', Duration: 'string',
  'resource.Quantity': 'string', 'intstr.IntOrString': 'number | string', 'types.UID': 'string', 'types.NodeName': 'string',
  'runtime.RawExtension': 'Record<string, unknown>', RawExtension: 'Record<string, unknown>', GroupVersionKind: '{ group: string; version: string; kind: string }', 'metav1.GroupVersionKind': '{ group: string; version: string; kind: string }', 'v1.GroupVersionKind': '{ group: string; version: string; kind: string }', 'metav1.GroupResource': '{ group: string; resource: string }', 'metav1.GroupVersionResource': '{ group: string; version: string; resource: string }',
  FieldsV1: 'Record<string, unknown>', JSON: 'unknown', 'metav1.FieldsV1': 'Record<string, unknown>',
}

const prefixHomes: Record<string, string[]> = {
  metav1: ['meta/v1'], corev1: ['core/v1'], apiv1: ['core/v1'], batchv1: ['batch/v1'], authenticationv1: ['authentication/v1'], authorizationv1: ['authorization/v1'],
  v1: ['meta/v1', 'core/v1', 'authentication/v1', 'admissionregistration/v1', 'coordination/v1', 'resource/v1'],
}

function home(prefix: string, type: string, self: string): string {
  const own = `${self.split('/')[0]}/${prefix}`
  const found = [...(prefixHomes[prefix] ?? []), own].find((name) => packages[name]?.types[type])
  if (!found) throw new Error(`${self}: nothing known about ${prefix}.${type}`)
  return found
}

/** Types whose JSON form is one of several, which a list of fields cannot say. */
const unions: Record<string, string> = {
  JSONSchemaPropsOrArray: 'JSONSchemaProps | JSONSchemaProps[]',
  JSONSchemaPropsOrBool: 'JSONSchemaProps | boolean',
  JSONSchemaPropsOrStringArray: 'JSONSchemaProps | string[]',
}

class Module {
  readonly imports = new Map<string, Set<string>>()
  readonly self: string
  constructor(self: string) { this.self = self }

  type(go: string): string {
    if (go.startsWith('*')) return this.type(go.slice(1))
    if (go === '[]byte') return 'string'
    if (go.startsWith('[]')) {
      const item = this.type(go.slice(2))
      return item.includes(' ') ? `Array<${item}>` : `${item}[]`
    }
    const map = /^map\[(.*?)\](.*)$/.exec(go)
    if (map) return `Record<string, ${this.type(map[2]!)}>`
    if (!go.includes('.') && packages[this.self]!.types[go] && !(this.self === 'meta/v1' && scalars[go]) && go !== 'JSON') return go
    const scalar = scalars[go]
    if (scalar) return scalar
    const [prefix, name] = go.split('.') as [string, string | undefined]
    if (name === undefined) return 'unknown'
    const from = home(prefix, name, this.self)
    if (from === this.self) return name
    const local = packages[this.self]!.types[name] ? `${from.split('/')[0]}${name}` : name
    const set = this.imports.get(from) ?? new Set()
    set.add(local === name ? name : `${name} as ${local}`)
    this.imports.set(from, set)
    return local
  }
}

function optional(name: string, type: string, field: Field, isRoot: boolean): boolean {
  if (isRoot && (name === 'metadata' || (name === 'spec' && !field.type.startsWith('*')))) return false
  if (type === 'ObjectMeta' && name === 'name') return false
  return Boolean(field.omitempty) || (field.markers ?? []).includes('optional')
}

function emit(self: string): string {
  const module = new Module(self)
  const { types, group } = packages[self]!
  const body: string[] = []
  for (const name of Object.keys(types).sort()) {
    const facts = types[name]!
    if (unions[name]) {
      body.push(`export type ${name} = ${unions[name]}`)
    } else if (facts.fields) {
      if (self === 'meta/v1' && (scalars[name] || ['Time', 'MicroTime', 'Duration', 'FieldsV1'].includes(name))) continue
      const isRoot = Boolean(facts.fields['inline:metav1.TypeMeta'] ?? facts.fields['inline:v1.TypeMeta'] ?? facts.fields['inline:TypeMeta'])
      const parents: string[] = []
      const lines: string[] = []
      for (const [fieldName, field] of Object.entries(facts.fields)) {
        if (fieldName.startsWith('inline:')) {
          parents.push(module.type(fieldName.slice('inline:'.length)))
          continue
        }
        lines.push(`  ${/^[A-Za-z_$][\w$]*$/.test(fieldName) ? fieldName : JSON.stringify(fieldName)}${optional(fieldName, name, field, isRoot) ? '?' : ''}: ${module.type(field.type)}`)
      }
      const heritage = parents.length > 0 ? ` extends ${parents.join(', ')}` : ''
      body.push(`export interface ${name}${heritage} {${lines.length > 0 ? `\n${lines.join('\n')}\n` : ''}}`)
    } else if (facts.alias === 'string' && facts.markers?.includes('enum') && facts.values?.length) {
      body.push(`export type ${name} = ${facts.values.map((v) => `'${v}'`).join(' | ')}`)
    } else if (facts.alias) {
      if (self === 'meta/v1' && scalars[name]) continue
      body.push(`export type ${name} = ${module.type(facts.alias)}`)
    }
  }
  const imports = [...module.imports].sort(([a], [b]) => a.localeCompare(b))
    .map(([from, names]) => `import type { ${[...names].sort().join(', ')} } from '../${from}.ts'`)
  return [`// Wire types of ${group === '' ? 'the core group' : group} ${self.split('/')[1]}. Generated by scripts/generate-types.ts; do not edit.`, ...imports, '', body.join('\n\n'), ''].join('\n')
}

for (const name of included) {
  const file = path.join(out, `${name}.ts`)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, emit(name))
}
console.log(`${included.length} packages of types written to ${path.relative(process.cwd(), out)}`)
