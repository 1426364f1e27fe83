import type { CustomResourceDefinition, CustomResourceDefinitionVersion, JSONSchemaProps } from '../../types/apiextensions/v1.ts'
import { sameValue } from '../common.ts'

/** What versions say, at the top where all say the same: upstream judges it there, and its paths tell. */
interface Part<T> {
  readonly value: T
  readonly at: string
  readonly version?: CustomResourceDefinitionVersion
}

export function partsOf<T>(versions: readonly CustomResourceDefinitionVersion[], read: (version: CustomResourceDefinitionVersion) => T | undefined, top: string, below: string): Part<T>[] {
  const [first] = versions
  if (!first) return []
  const value = read(first)
  if (versions.every((version) => sameValue(read(version), value))) return value === undefined ? [] : [{ value, at: `spec.${top}` }]
  return versions.flatMap((version, i) => {
    const own = read(version)
    return own === undefined ? [] : [{ value: own, at: `spec.versions[${i}].${below}`, version }]
  })
}

/** The schemas of a definition, with the paths at which errors in them are told. */
export function schemaPlaces({ spec }: CustomResourceDefinition): { schema: JSONSchemaProps, at: string }[] {
  return partsOf(spec.versions ?? [], (version) => version.schema, 'validation', 'schema').flatMap(({ value, at }) => (value.openAPIV3Schema ? [{ schema: value.openAPIV3Schema, at: `${at}.openAPIV3Schema` }] : []))
}
