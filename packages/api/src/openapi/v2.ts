import { createHash } from 'node:crypto'
import type { Node } from './components.ts'
import { schemaForV2 } from './custom.ts'
import type { DescribedResource } from './custom.ts'
import { readDescriptions } from './descriptions.ts'
import { openApiV3 } from './document.ts'

/**
 * The OpenAPI v2 (swagger 2.0) document of all that is served: the v3 documents of the group versions, turned into the older form and put together.
 * Making it costs memory and some hundred milliseconds; callers keep the encoded bytes.
 * @param served each group version (`v1`, `apps/v1`) with the resources that are served of it
 */
export function openApiV2(served: Iterable<readonly [groupVersion: string, resources: readonly DescribedResource[]]>): Record<string, unknown> {
  const describe = readDescriptions()
  const paths: Record<string, Node> = {}
  const definitions: Record<string, Node> = {}
  const parameters: Record<string, Node> = {}
  for (const [groupVersion, resources] of [...served].sort(([a], [b]) => compare(sortKey(a), sortKey(b)))) {
    const described = resources.map((each) => (each.schema ? { ...each, schema: schemaForV2(each.schema) } : each))
    const document = openApiV3(groupVersion, described, describe) as { paths: Record<string, Node>, components: { schemas: Record<string, Node> } }
    for (const [path, item] of Object.entries(document.paths)) paths[path] = pathItem(item, parameters)
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      const known = definitions[name]
      if (known) mergeKinds(known, schema)
      else definitions[name] = convertSchema(schema)
    }
  }
  return {
    swagger: '2.0', info: { title: 'Kubernetes', version: '1.36' }, paths: sorted(paths), definitions: sorted(definitions), parameters: sorted(parameters),
    securityDefinitions: { BearerToken: { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' } }, security: [{ BearerToken: [] }],
  }
}

/**
 * An OpenAPI v3 schema in the form of v2: references lead to `#/definitions/`, need no allOf around them to have neighbours, and defaults and
 * alternatives are left out, as upstream publishes it.
 */
export function convertSchema(schema: Node): Node {
  const out: Node = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'default') continue
    if (key === 'allOf') Object.assign(out, ...(value as Node[]).map(convertSchema))
    else if (key === 'oneOf') out['type'] = 'string'
    else if (key === '$ref') out['$ref'] = String(value).replace('#/components/schemas/', '#/definitions/')
    else if (key === 'items' || key === 'additionalProperties') out[key] = convertSchema(value as Node)
    else if (key === 'properties') out[key] = Object.fromEntries(Object.entries(value as Record<string, Node>).map(([name, property]) => [name, convertSchema(property)]))
    else out[key] = value
  }
  return out
}

const kindsKey = 'x-kubernetes-group-version-kind'

/** Kinds that are registered in every group (DeleteOptions, WatchEvent) name all of them. */
function mergeKinds(into: Node, from: Node): void {
  const known = into[kindsKey] as Node[] | undefined
  if (!known) return
  const names = new Set(known.map((k) => JSON.stringify(k)))
  const more = (from[kindsKey] as Node[] | undefined ?? []).filter((k) => !names.has(JSON.stringify(k)))
  if (more.length > 0) into[kindsKey] = [...known, ...more]
}

/** The operations of a path; parameters that many paths have are put into `shared` and referred to. */
function pathItem(item: Node, shared: Record<string, Node>): Node {
  return Object.fromEntries(Object.entries(item).map(([key, value]) => [
    key, key === 'parameters' ? (value as Node[]).map((p) => share(parameter(p), shared)) : operation(value as Node, shared),
  ]))
}

interface Body { readonly content: Record<string, { schema: Node }>, readonly required?: boolean }

function operation(from: Node, shared: Record<string, Node>): Node {
  const { parameters = [], requestBody, responses, ...rest } = from as { parameters?: Node[], requestBody?: Body, responses: Record<string, Partial<Body> & { description?: string }> } & Node
  const own = parameters.map(parameter)
  const [schema] = requestBody ? Object.values(requestBody.content).map((c) => c.schema) : []
  if (schema) own.push({ in: 'body', name: 'body', ...(requestBody?.required && { required: true }), schema: convertSchema(schema) })
  own.sort((a, b) => compare(`${String(a['name'])} ${String(a['in'])}`, `${String(b['name'])} ${String(b['in'])}`))
  const produces = mediaTypes(Object.values(responses).flatMap((r) => Object.keys(r.content ?? {})))
  const answers = Object.entries(responses).map(([code, { description, content }]): [string, Node] => {
    const [answer] = Object.values(content ?? {})
    return [code, { description, ...(answer && { schema: convertSchema(answer.schema) }) }]
  })
  const action = rest['x-kubernetes-action']
  return {
    // Only patches care what they are sent; lists of an API's resources have no action.
    consumes: action === 'patch' ? mediaTypes(Object.keys(requestBody?.content ?? {})) : action === undefined ? produces : ['*/*'],
    ...rest, ...(own.length > 0 && { parameters: own.map((p) => share(p, shared)) }), produces, responses: Object.fromEntries(answers), schemes: ['https'],
  }
}

/** In upstream's order. */
const order = [
  'text/plain', 'application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch',
  'application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml', '*/*',
]

function mediaTypes(types: readonly string[]): string[] {
  return [...new Set(types)].sort((a, b) => order.indexOf(a) - order.indexOf(b))
}

/** A parameter's schema stands beside its name in v2. */
function parameter(from: Node): Node {
  const { schema, ...rest } = from as { schema: Node } & Node
  return { ...rest, ...schema }
}

/** What differs from path to path; and what kubectl looks for in the operation itself. */
const inPlace = new Set(['name', 'dryRun', 'fieldValidation'])
const sharedBodies = /\.(DeleteOptions|Patch)$/

function share(node: Node, shared: Record<string, Node>): Node {
  const name = String(node['name'])
  if (inPlace.has(name)) return node
  if (node['in'] === 'body' && !sharedBodies.test(String((node['schema'] as Node)['$ref']))) return node
  const key = `${name}-${createHash('sha256').update(JSON.stringify(node)).digest('base64url').slice(0, 8)}`
  shared[key] ??= node
  return { $ref: `#/parameters/${key}` }
}

/** The core group first. */
function sortKey(groupVersion: string): string {
  return groupVersion.includes('/') ? groupVersion : `/${groupVersion}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => compare(a, b)))
}
