import { apiVersionOf, apps, core, type ResourceInfo } from '@berth/api'
import type { Deployment, ReplicaSet, StatefulSet } from '@berth/api/types/apps/v1'
import type { Pod, ReplicationController } from '@berth/api/types/core/v1'
import type { OwnerReference } from '@berth/api/types/meta/v1'
import { errorOf, isNotFound, readText, type Clock, type Informer, type Informers, type KubeClient } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { KindFinder, NoSuchKind } from '../common/kind-finder.ts'
import { controllerOf, type ApiObject } from '../common/owners.ts'
import type { Scale } from './budget.ts'

/** How large the workload that manages a pod is to be; `uid` names it. */
interface Managed {
  readonly uid: string
  readonly replicas: number
}

/** The kinds that are known without asking, each with what it wants where it does not say: one. */
export class Scales {
  readonly #client: KubeClient
  readonly #kinds: KindFinder
  readonly sets: Informer<ReplicaSet>
  readonly deployments: Informer<Deployment>
  readonly statefulSets: Informer<StatefulSet>
  readonly controllers: Informer<ReplicationController>

  constructor(client: KubeClient, informers: Informers, clock: Clock) {
    this.#client = client
    this.#kinds = new KindFinder(client, clock)
    this.sets = informers.for(apps.replicasets)
    this.deployments = informers.for(apps.deployments)
    this.statefulSets = informers.for(apps.statefulsets)
    this.controllers = informers.for(core.replicationcontrollers)
  }

  /** Sums up the workloads that manage the pods. Throws where one cannot be found. */
  async of(pods: readonly Pod[]): Promise<Scale> {
    const replicas = new Map<string, number>()
    const seen = new Set<string>()
    const unmanaged: string[] = []
    for (const pod of pods) {
      const owner = controllerOf(pod)
      if (!owner) {
        unmanaged.push(pod.metadata.name)
        continue
      }
      if (seen.has(owner.uid)) continue
      seen.add(owner.uid)
      const managed = await this.#find(owner, pod.metadata.namespace ?? '')
      if (!managed) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`)
      replicas.set(managed.uid, managed.replicas)
    }
    return { expected: [...replicas.values()].reduce((sum, each) => sum + each, 0), unmanaged }
  }

  async #find(owner: OwnerReference, namespace: string): Promise<Managed | undefined> {
    const [group = ''] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
    const key = `${namespace}/${owner.name}`
    const own = <T extends ApiObject & { spec?: { replicas?: number } }>(informer: Informer<T>): Managed | undefined => {
      const found = informer.store.get(key)
      return found?.metadata.uid === owner.uid ? { uid: owner.uid, replicas: found.spec?.replicas ?? 1 } : undefined
    }
    if (owner.kind === 'ReplicationController' && group === '') return own(this.controllers)
    if (owner.kind === 'StatefulSet' && group === 'apps') return own(this.statefulSets)
    if (owner.kind === 'ReplicaSet' && group === 'apps') return own(this.sets) && this.#ofReplicaSet(key)
    return this.#ask(owner, group, namespace)
  }

  /** A ReplicaSet of a Deployment counts as its Deployment. */
  #ofReplicaSet(key: string): Managed | undefined {
    const set = this.sets.store.get(key)
    if (!set) return undefined
    const owner = controllerOf(set)
    if (owner?.kind !== 'Deployment') return { uid: set.metadata.uid ?? '', replicas: set.spec.replicas ?? 1 }
    const deployment = this.deployments.store.get(`${set.metadata.namespace ?? ''}/${owner.name}`)
    return deployment?.metadata.uid === owner.uid ? { uid: owner.uid, replicas: deployment.spec.replicas ?? 1 } : undefined
  }

  /** Asks the scale of any other kind. */
  async #ask(owner: OwnerReference, group: string, namespace: string): Promise<Managed | undefined> {
    const resource = await this.#kinds.find(group, owner.kind).catch(ignore((error) => error instanceof NoSuchKind))
    if (!resource?.namespaced) return undefined
    const scale = await this.#scaleOf(resource, owner.name, namespace).catch(ignore(isNotFound))
    if (!scale) {
      const exists = await this.#client.get(resource, owner.name, { namespace }).catch(ignore(isNotFound))
      if (exists) throw new Error(`${resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`} does not implement the scale subresource`)
      return undefined
    }
    return scale.metadata?.uid === owner.uid ? { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 } : undefined
  }

  async #scaleOf(resource: ResourceInfo, name: string, namespace: string): Promise<{ metadata?: { uid?: string }; spec?: { replicas?: number } }> {
    const path = `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}/namespaces/${namespace}/${resource.resource}/${name}/scale`
    const response = await this.#client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
    if (response.status !== 200) throw await errorOf(response)
    return JSON.parse(await readText(response.body)) as { metadata?: { uid?: string }; spec?: { replicas?: number } }
  }
}
