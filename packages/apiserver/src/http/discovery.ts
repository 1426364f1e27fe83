// Discovery: which groups, versions, resources and verbs are served, as /api, /apis and their group documents and as the aggregated form.
import { createHash } from 'node:crypto'
import { apiVersionOf, core } from '@berth/api'
import type { JsonObject, ResourceInfo, SubresourceInfo } from '@berth/api'
import type { AggregatedVersion } from '../aggregation/aggregator.ts'
import { builtInPriority, customPriority } from '../aggregation/priorities.ts'
import type { Priority } from '../aggregation/priorities.ts'
import type { Registry } from '../registry/registry.ts'
import type { ConnectHandler, VirtualResource, VirtualSubresource } from '../interfaces.ts'
import { parseAccept } from './media-types.ts'

/** One resource with the subresources that are served of it. */
export interface ServedResource {
  info: ResourceInfo
  subresources: readonly SubresourceInfo[]
  /** Group, version and kind in which objects are stored; undefined where nothing is stored. */
  storage: { group: string, version: string, kind: string } | undefined
  /** A custom resource's schema, as OpenAPI has it. */
  custom?: JsonObject
}

/** Gathers what the registry and the virtual parts serve. */
export function servedResources(registry: Registry, virtual: { resources: readonly VirtualResource[], subresources: readonly VirtualSubresource[], connects: readonly ConnectHandler[] }): ServedResource[] {
  const same = (a: ResourceInfo, b: ResourceInfo): boolean => a.group === b.group && a.resource === b.resource
  const stored = [...registry.runtimes()].map((runtime): ServedResource => {
    const info = runtime.definition.resource
    const names = new Set([
      ...Object.keys(runtime.definition.subresources ?? {}), ...virtual.subresources.filter((v) => same(v.parent, info)).map((v) => v.name),
      ...virtual.connects.filter((c) => same(c.parent, info)).map((c) => c.subresource),
    ])
    const custom = runtime.rules.openApi
    return { info, subresources: info.subresources.filter((s) => names.has(s.name)), storage: runtime.definition.computed ? undefined : runtime.stored.gvk, ...(custom && { custom }) }
  })
  const bindings: ServedResource[] = registry.runtime('', 'pods') ? [{ info: core.bindings, subresources: [], storage: undefined }] : []
  return [...stored, ...bindings, ...virtual.resources.map((v): ServedResource => ({ info: v.resource, subresources: [], storage: undefined }))]
    .sort((a, b) => compare(a.info.resource, b.info.resource))
}

/** Versions as kubectl prefers them: GA before beta before alpha, the higher number first, others by name (apimachinery/pkg/version). */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parts(a), parts(b)]
  if (!x || !y) return x ? -1 : y ? 1 : compare(a, b)
  return y.stage - x.stage || y.major - x.major || y.minor - x.minor
}

function parts(version: string): { stage: number, major: number, minor: number } | undefined {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  return match ? { stage: match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, major: Number(match[1]), minor: Number(match[3] ?? 0) } : undefined
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A group version in discovery: ours, or one that another server answers for. */
interface ListedVersion {
  readonly group: string
  readonly version: string
  readonly priority: Priority
  /** Undefined for ours; otherwise what is known of the other server. */
  readonly remote?: AggregatedVersion
}

/** What is served at a moment. */
interface Served {
  readonly version: number
  readonly resources: readonly ServedResource[]
  /** Ours. */
  readonly groupVersions: ReadonlySet<string>
  /** Everybody's but the core group's, the preferred version of each group first. */
  readonly groups: ReadonlyMap<string, readonly ListedVersion[]>
}

/** Where Discovery learns what is served: `version` grows whenever that changes. */
export interface ServedSource {
  version(): number
  resources(): readonly ServedResource[]
  /** What other servers answer for; theirs go before ours of the same name. */
  aggregated(): readonly AggregatedVersion[]
}

/** The documents of discovery over what is served now. */
export class Discovery {
  readonly #source: ServedSource
  readonly #serverAddress: () => string
  #now: Served | undefined

  constructor(source: ServedSource, serverAddress: () => string) {
    this.#source = source
    this.#serverAddress = serverAddress
  }

  get #served(): Served {
    const version = this.#source.version()
    if (this.#now?.version === version) return this.#now
    const resources = this.#source.resources()
    const groupVersions = new Set(resources.map((s) => apiVersionOf(s.info)))
    this.#now = { version, resources, groupVersions, groups: listedGroups(groupVersions, this.#source.aggregated()) }
    return this.#now
  }

  /** Grows whenever something comes or goes. */
  get version(): number {
    return this.#served.version
  }

  /** `v1`, `apps/v1`, ...: what this server answers for itself. */
  get groupVersions(): ReadonlySet<string> {
    return this.#served.groupVersions
  }

  /** The same with what other servers answer for. */
  get listedGroupVersions(): string[] {
    return ['v1', ...[...this.#served.groups].flatMap(([group, versions]) => versions.map(({ version }) => `${group}/${version}`))]
  }

  /** The document of a discovery path, or undefined when the path is none (or nothing is served there). */
  document(path: string, accept: string | undefined): { body: unknown, contentType: string } | undefined {
    const parts = path.replace(/^\/|\/$/g, '').split('/')
    const plain = (body: unknown): { body: unknown, contentType: string } => ({ body, contentType: 'application/json' })
    if (parts[0] === 'api') {
      if (parts.length === 1) return this.#aggregated(accept, ['']) ?? plain(this.#coreVersions())
      return parts.length === 2 && parts[1] === 'v1' ? plain(this.#resourceList('', 'v1')) : undefined
    }
    if (parts[0] !== 'apis') return undefined
    const { groups } = this.#served
    if (parts.length === 1) return this.#aggregated(accept, byPriorityAndName(groups)) ?? plain({ kind: 'APIGroupList', apiVersion: 'v1', groups: [...groups.keys()].map((g) => this.#group(g)) })
    const group = parts[1] ?? ''
    if (!groups.has(group)) return undefined
    if (parts.length === 2) return plain({ kind: 'APIGroup', apiVersion: 'v1', ...this.#group(group) })
    return parts.length === 3 && this.groupVersions.has(`${group}/${parts[2] ?? ''}`) ? plain(this.#resourceList(group, parts[2] ?? '')) : undefined
  }

  /** Resources of one group and version. */
  resourcesOf(group: string, version: string): readonly ServedResource[] {
    return this.#served.resources.filter((s) => s.info.group === group && s.info.version === version)
  }

  #coreVersions(): unknown {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: this.#serverAddress() }] }
  }

  #group(group: string): Record<string, unknown> {
    const versions = (this.#served.groups.get(group) ?? []).map(({ version }) => ({ groupVersion: `${group}/${version}`, version }))
    return { name: group, versions, preferredVersion: versions[0] }
  }

  #resourceList(group: string, version: string): unknown {
    const resources = this.resourcesOf(group, version).flatMap((served) => {
      const { info } = served
      return [
        {
          name: info.resource, singularName: info.singular, namespaced: info.namespaced, kind: info.kind, verbs: info.verbs,
          ...(info.shortNames.length > 0 && { shortNames: info.shortNames }), ...(info.categories.length > 0 && { categories: info.categories }),
          ...(served.storage && { storageVersionHash: storageVersionHash(served.storage) }),
        },
        ...served.subresources.map((sub) => ({
          name: `${info.resource}/${sub.name}`, singularName: '', namespaced: info.namespaced, ...(sub.group !== '' && { group: sub.group }), ...(sub.version !== '' && { version: sub.version }),
          kind: sub.kind, verbs: sub.verbs,
        })),
      ]
    })
    return { kind: 'APIResourceList', ...(group !== '' && { apiVersion: 'v1' }), groupVersion: group === '' ? version : `${group}/${version}`, resources }
  }

  #aggregated(accept: string | undefined, groups: readonly string[]): { body: unknown, contentType: string } | undefined {
    for (const { type, parameters } of parseAccept(accept)) {
      if (type !== 'application/json') continue
      const version = parameters['v']
      if (parameters['as'] === undefined) return undefined
      if (parameters['g'] !== 'apidiscovery.k8s.io' || parameters['as'] !== 'APIGroupDiscoveryList' || (version !== 'v2' && version !== 'v2beta1')) continue
      const items = groups.map((group) => ({ metadata: group === '' ? {} : { name: group }, versions: this.#aggregatedVersions(group) })).filter(({ versions }) => versions.length > 0)
      return {
        body: { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items },
        contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      }
    }
    return undefined
  }

  #aggregatedVersions(group: string): unknown[] {
    const versions: readonly Pick<ListedVersion, 'version' | 'remote'>[] = group === '' ? [{ version: 'v1' }] : this.#served.groups.get(group) ?? []
    return versions.flatMap(({ version, remote }): unknown[] => {
      if (!remote) return [{ version, resources: this.resourcesOf(group, version).map(aggregatedResource), freshness: 'Current' }]
      return remote.discovered ? [{ version, ...(remote.discovered.resources.length > 0 && { resources: remote.discovered.resources }), freshness: remote.discovered.freshness }] : []
    })
  }
}

/** Groups in the order of `/apis`: by their priority, then by the name of their APIService; their versions by priority, then as versions are compared. */
function listedGroups(own: ReadonlySet<string>, aggregated: readonly AggregatedVersion[]): Map<string, ListedVersion[]> {
  const listed = new Map<string, ListedVersion>()
  for (const groupVersion of own) {
    const [group = '', version] = groupVersion.split('/')
    if (version !== undefined) listed.set(groupVersion, { group, version, priority: builtInPriority(group, version) ?? customPriority })
  }
  for (const remote of aggregated) listed.set(`${remote.group}/${remote.version}`, { group: remote.group, version: remote.version, priority: remote.priority, remote })
  const all = [...listed.values()].sort((a, b) => b.priority.group - a.priority.group || compare(`${a.version}.${a.group}`, `${b.version}.${b.group}`))
  const groups = new Map<string, ListedVersion[]>()
  for (const each of all) groups.set(each.group, [...groups.get(each.group) ?? [], each])
  for (const versions of groups.values()) versions.sort((a, b) => b.priority.version - a.priority.version || compareVersions(a.version, b.version))
  return groups
}

/** Groups in the order of aggregated discovery. */
function byPriorityAndName(groups: ReadonlyMap<string, readonly ListedVersion[]>): string[] {
  const priority = (group: string): number => Math.max(...(groups.get(group) ?? []).map((each) => each.priority.group))
  return [...groups.keys()].sort((a, b) => priority(b) - priority(a) || compare(a, b))
}

function aggregatedResource({ info, subresources }: ServedResource): unknown {
  const kindOf = (group: string, version: string, kind: string): unknown => ({ group, version, kind })
  return {
    resource: info.resource, responseKind: kindOf('', '', info.kind), scope: info.namespaced ? 'Namespaced' : 'Cluster', singularResource: info.singular, verbs: info.verbs,
    ...(info.shortNames.length > 0 && { shortNames: info.shortNames }), ...(info.categories.length > 0 && { categories: info.categories }),
    ...(subresources.length > 0 && { subresources: subresources.map((s) => ({ subresource: s.name, responseKind: kindOf(s.group, s.version, s.kind), verbs: s.verbs })) }),
  }
}

/** Upstream's hash of the version in which objects are stored. */
function storageVersionHash({ group, version, kind }: { group: string, version: string, kind: string }): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64')
}
