import { celTypes, schemaType, type CelType, type RuleSchema } from '@berth/cel'

/** What is read of a schema in an OpenAPI v3 document. */
export interface OpenApiSchema {
  readonly $ref?: string
  readonly allOf?: readonly OpenApiSchema[]
  readonly oneOf?: readonly unknown[]
  readonly type?: string
  readonly format?: string
  readonly properties?: Readonly<Record<string, OpenApiSchema>>
  readonly items?: OpenApiSchema
  readonly additionalProperties?: OpenApiSchema | boolean
  readonly 'x-kubernetes-group-version-kind'?: readonly Kind[]
  readonly 'x-kubernetes-int-or-string'?: boolean
}

/** A kind in its version. */
export interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export type OpenApiSchemas = Readonly<Record<string, OpenApiSchema>>

const prefix = '#/components/schemas/'

/** The type of a kind's objects; undefined where the document does not describe them. */
export function typeOfKind(schemas: OpenApiSchemas, wanted: Kind): CelType | undefined {
  const found = Object.values(schemas).find((schema) => schema['x-kubernetes-group-version-kind']?.some(({ group, version, kind }) => group === wanted.group && version === wanted.version && kind === wanted.kind))
  const resolved = found && resolve(schemas, found, [])
  return resolved && (schemaType(resolved, { resource: true, name: wanted.kind }) ?? celTypes.dynType)
}

/** A schema with what it refers to put in its place; what refers to itself ends there. */
function resolve(schemas: OpenApiSchemas, schema: OpenApiSchema, within: readonly string[]): RuleSchema | undefined {
  const { $ref, allOf } = schema
  if ($ref !== undefined) {
    const name = $ref.slice(prefix.length)
    const target = within.includes(name) ? undefined : schemas[name]
    return target && resolve(schemas, target, [...within, name])
  }
  const [only] = allOf ?? []
  if (only !== undefined && schema.type === undefined) return resolve(schemas, only, within)
  // A quantity, or a number or a text: expressions see either.
  if (schema['x-kubernetes-int-or-string'] === true || (schema.type === undefined && schema.oneOf !== undefined)) return { 'x-kubernetes-int-or-string': true }
  const { properties, items, additionalProperties } = schema
  return {
    ...(schema.type === undefined ? {} : { type: schema.type }), ...(schema.format === undefined ? {} : { format: schema.format }),
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).flatMap(([name, part]) => {
      const resolved = resolve(schemas, part, within)
      return resolved ? [[name, resolved]] : []
    })) }),
    ...(items && { items: resolve(schemas, items, within) }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: resolve(schemas, additionalProperties, within) } : {}),
  }
}
