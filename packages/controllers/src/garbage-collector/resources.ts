import { apiVersionOf, apps, core, discovery, rbac, type ResourceInfo } from '@berth/api'
import type { Informer, Informers } from '@berth/kube'
import { discoverResources } from '../common/discovery.ts'
import type { ApiObject } from '../common/owners.ts'
import type { ControllerContext } from '../context.ts'

/** Kinds that come and go in numbers and own nothing, as upstream ignores them. */
const ignored = new Set(['events', 'events.events.k8s.io'])

/** Kinds that other controllers watch whole: their informer is shared, instead of a second watch for metadata alone. */
const watchedWhole = new Set([core.pods, core.services, core.namespaces, core.nodes, core.serviceaccounts, apps.replicasets, apps.deployments, discovery.endpointslices, rbac.clusterroles].map(nameOf))

function nameOf(resource: Pick<ResourceInfo, 'group' | 'resource'>): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`
}

/** What the collector needs of an object. */
export function metadataOnly(object: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = object.metadata
  return { metadata: { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } }
}

/** The kinds that the server lets us list, watch and delete; an informer for each, and a way from a reference's kind to its resource. */
export class CollectableKinds {
  readonly #resources = new Map<string, ResourceInfo<ApiObject>>()
  readonly #watched = new Set<string>()
  readonly #informers: Informers

  constructor(informers: Informers) {
    this.#informers = informers
  }

  resourceOf(reference: { apiVersion: string; kind: string }): ResourceInfo<ApiObject> | undefined {
    const exact = this.#resources.get(`${reference.apiVersion} ${reference.kind}`)
    if (exact !== undefined) return exact
    // A reference in another version of the same group names the same object.
    const group = reference.apiVersion.includes('/') ? reference.apiVersion.split('/')[0] : ''
    return [...this.#resources.values()].find((resource) => resource.group === group && resource.kind === reference.kind)
  }

  /** Asks the server again and watches kinds that are new. Gives the informers of these. */
  async refresh({ client, logger }: ControllerContext): Promise<{ resource: ResourceInfo<ApiObject>; informer: Informer<ApiObject> }[]> {
    const { resources, failures } = await discoverResources(client)
    if (failures.length > 0) logger.warn('Failed to discover some groups', { failures: failures.join('; ') })
    const fresh: { resource: ResourceInfo<ApiObject>; informer: Informer<ApiObject> }[] = []
    for (const resource of resources) {
      this.#resources.set(`${apiVersionOf(resource)} ${resource.kind}`, resource)
      const collectable = ['delete', 'list', 'watch'].every((verb) => resource.verbs.includes(verb)) && !ignored.has(nameOf(resource))
      if (!collectable || this.#watched.has(nameOf(resource))) continue
      this.#watched.add(nameOf(resource))
      fresh.push({ resource, informer: this.#informers.for(resource, watchedWhole.has(nameOf(resource)) ? {} : { project: metadataOnly }) })
    }
    return fresh
  }
}
