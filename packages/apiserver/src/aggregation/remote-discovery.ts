// What aggregated servers say they serve: their discovery documents, in the aggregated form or group version by group version.
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { groupVersionOf, pathOf } from './api-services.ts'
import { askBackend } from './backends.ts'
import type { BackendAccess } from './backends.ts'

const answerWithinMs = 5_000
const aggregatedTypes = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList'

interface GroupVersionKind { readonly group?: string, readonly version?: string, readonly kind?: string }

/** A resource as aggregated discovery has it. */
export interface DiscoveredResource {
  readonly resource: string
  readonly responseKind: GroupVersionKind
  readonly scope: string
  readonly singularResource: string
  readonly verbs: readonly string[]
  readonly subresources?: readonly { readonly subresource: string, readonly responseKind: GroupVersionKind, readonly verbs: readonly string[] }[]
}

/** An entry of an APIResourceList. */
interface ListedResource {
  readonly name: string
  readonly singularName?: string
  readonly namespaced?: boolean
  readonly group?: string
  readonly version?: string
  readonly kind: string
  readonly verbs?: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

/** The resources of an APIService's group version, as its server tells. Rejects where it does not tell. */
export async function remoteResources(access: BackendAccess, service: APIService, signal: AbortSignal): Promise<DiscoveredResource[]> {
  const groupVersion = groupVersionOf(service)
  const all = await askBackend(access, service, '/apis', { headers: { accept: aggregatedTypes }, timeoutMs: answerWithinMs, signal })
  if (all.status === 503) throw new Error(`service of ${service.metadata.name} returned non-success response code: 503`)
  if (all.status === 200 && String(all.headers['content-type'] ?? '').includes('as=APIGroupDiscoveryList')) return resourcesOfAggregated(JSON.parse(all.body), groupVersion)
  const path = pathOf(groupVersion)
  const one = await askBackend(access, service, path, { headers: { accept: 'application/json' }, timeoutMs: answerWithinMs, signal })
  if (one.status !== 200) throw new Error(`failed to download legacy discovery for ${path}: ${one.status} ${one.body.slice(0, 200)}`)
  return resourcesOfList(JSON.parse(one.body))
}

/** Takes a group version out of an APIGroupDiscoveryList; nothing where it is not in it. */
export function resourcesOfAggregated(document: unknown, groupVersion: string): DiscoveredResource[] {
  const { items = [] } = document as { items?: { metadata?: { name?: string }, versions?: { version?: string, resources?: DiscoveredResource[] }[] }[] }
  const [group, version] = groupVersion.split('/')
  const found = items.find(({ metadata }) => metadata?.name === group)?.versions?.find((each) => each.version === version)
  // Some clients cannot do without a responseKind.
  return (found?.resources ?? []).map((resource) => ({
    ...resource, responseKind: resource.responseKind ?? {},
    ...(resource.subresources && { subresources: resource.subresources.map((sub) => ({ ...sub, responseKind: sub.responseKind ?? {} })) }),
  }))
}

/** Turns an APIResourceList into the aggregated form. */
export function resourcesOfList(document: unknown): DiscoveredResource[] {
  const { resources = [] } = document as { resources?: ListedResource[] }
  const kindOf = ({ group = '', version = '', kind }: ListedResource): GroupVersionKind => ({ group, version, kind })
  const scopeOf = ({ namespaced }: ListedResource): string => (namespaced ? 'Namespaced' : 'Cluster')
  const subresourcesOf = (name: string): ListedResource[] => resources.filter((each) => each.name.startsWith(`${name}/`))
  const parents = resources.filter(({ name }) => !name.includes('/'))
  // A subresource whose parent is not served is listed under a parent that can do nothing.
  const orphans = resources.filter(({ name }) => name.includes('/') && !parents.some((parent) => name.startsWith(`${parent.name}/`)))
  const absent = [...new Map(orphans.map((each) => [each.name.split('/')[0] ?? '', each]))].map(([name, { namespaced }]): ListedResource => ({ name, kind: '', ...(namespaced !== undefined && { namespaced }) }))
  return [...parents, ...absent].map((parent) => {
    const subresources = subresourcesOf(parent.name)
    return {
      resource: parent.name, responseKind: parent.kind === '' ? {} : kindOf(parent), scope: scopeOf(parent), singularResource: parent.singularName ?? '', verbs: parent.verbs ?? [],
      ...(parent.shortNames && { shortNames: parent.shortNames }), ...(parent.categories && { categories: parent.categories }),
      ...(subresources.length > 0 && { subresources: subresources.map((sub) => ({ subresource: sub.name.slice(parent.name.length + 1), responseKind: kindOf(sub), verbs: sub.verbs ?? [] })) }),
    }
  })
}
