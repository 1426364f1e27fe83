// Writes a JSON schema for every kind of the API, for kubeconform:
//   node hack/run.mjs node hack/helm-test/schemas.ts DIRECTORY
//   kubeconform -strict -schema-location 'DIRECTORY/{{ .ResourceKind }}{{ .KindSuffix }}.json' FILE...
import fs from 'node:fs'
import path from 'node:path'
import * as api from '@berth/api'

type Schema = Record<string, unknown>

/** Every built-in resource, by the group version it is served in. */
function resourcesByVersion(): Map<string, api.ResourceInfo[]> {
  const found = new Map<string, api.ResourceInfo[]>()
  for (const group of Object.values(api)) {
    if (typeof group !== 'object') continue
    for (const info of Object.values(group as Record<string, api.ResourceInfo>)) {
      if (typeof info !== 'object' || !('namespaced' in info)) continue
      const version = api.apiVersionOf(info)
      found.set(version, [...found.get(version) ?? [], info])
    }
  }
  return found
}

/** An OpenAPI v3 schema as a JSON schema that refuses unknown fields. */
function strict(schema: Schema): Schema {
  const out: Schema = {}
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'default' || key === 'description' || key === 'format' || key.startsWith('x-')) continue
    if (key === '$ref') out[key] = String(value).replace('#/components/schemas/', '#/definitions/')
    else if (key === 'properties') out[key] = Object.fromEntries(Object.entries(value as Record<string, Schema>).map(([name, property]) => [name, strict(property)]))
    else if (key === 'items' || key === 'additionalProperties') out[key] = strict(value as Schema)
    else if (key === 'allOf' || key === 'oneOf') out[key] = (value as Schema[]).map(strict)
    else out[key] = value
  }
  if (schema['properties'] !== undefined && schema['additionalProperties'] === undefined) out['additionalProperties'] = false
  return out
}

const [directory] = process.argv.slice(2)
if (directory === undefined) {
  console.error('usage: node hack/run.mjs node hack/helm-test/schemas.ts DIRECTORY')
  process.exit(2)
}
fs.mkdirSync(directory, { recursive: true })
let count = 0
for (const [version, resources] of resourcesByVersion()) {
  const { components } = api.openApiV3(version, resources) as { components: { schemas: Record<string, Schema> } }
  const definitions = Object.fromEntries(Object.entries(components.schemas).map(([name, schema]) => [name, strict(schema)]))
  for (const { group, version: apiVersion, kind } of resources) {
    const [name] = Object.entries(components.schemas).find(([, schema]) => (schema['x-kubernetes-group-version-kind'] as Schema[] | undefined)?.some((k) => k['group'] === group && k['version'] === apiVersion && k['kind'] === kind)) ?? []
    if (name === undefined) throw new Error(`${version} ${kind}: no schema`)
    // kubeconform's KindSuffix: the group up to its first dot, and the version.
    const suffix = `${group === '' ? '' : `-${group.split('.')[0]}`}-${apiVersion}`
    fs.writeFileSync(path.join(directory, `${kind.toLowerCase()}${suffix}.json`), JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', $ref: `#/definitions/${name}`, definitions }))
    count += 1
  }
}
console.log(`${count} schemas in ${directory}`)
