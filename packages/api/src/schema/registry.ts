import { packages } from './data/index.ts'
import type { GroupVersionKind, ObjectSchema, StructSchema } from './model.ts'
import { createResolver } from './notation.ts'

const resolver = createResolver(packages)
const kinds = new Map<string, ObjectSchema | undefined>()

/** Packages by group and version; admission and meta types are reached through their kinds too. */
const homes = new Map(Object.entries(packages).map(([home, { group }]) => [`${group}/${home.slice(home.indexOf('/') + 1)}`, home]))
/** Kinds of meta.k8s.io that every group serves under its own version. */
const everywhere = new Set(['Status', 'DeleteOptions', 'CreateOptions', 'UpdateOptions', 'PatchOptions', 'GetOptions', 'ListOptions', 'ApplyOptions', 'APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

/**
 * The schema of a built-in kind, or undefined where Berth knows no such kind. The same call gives the same structure.
 * The kinds of meta.k8s.io (Status, DeleteOptions, ...) are found under every group and version.
 */
export function schemaOf({ group, version, kind }: GroupVersionKind): ObjectSchema | undefined {
  const key = `${group}/${version}/${kind}`
  const known = kinds.get(key)
  if (known) return known
  const found = find(group, version, kind)
  // Only what there is: clients can make up any number of names.
  if (found) kinds.set(key, found)
  return found
}

/** A struct of the built-in types by package and name, `structOf('core/v1', 'PodSpec')`. */
export function structOf(home: string, name: string): StructSchema | undefined {
  return resolver.struct(home, name)
}

/** The package (`apps/v1`) that holds the types of a group and version. */
export function homeOf(group: string, version: string): string | undefined {
  return homes.get(`${group}/${version}`)
}

function find(group: string, version: string, kind: string): ObjectSchema | undefined {
  const home = homes.get(`${group}/${version}`)
  const own = home === undefined ? undefined : resolver.struct(home, kind)
  const struct = own ?? (everywhere.has(kind) ? resolver.struct('meta/v1', kind) : undefined)
  return struct?.root ? { ...struct, group, version, kind } : undefined
}
