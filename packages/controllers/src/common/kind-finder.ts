import type { ResourceInfo } from '@berth/api'
import type { APIGroup, APIResourceList } from '@berth/api/types/meta/v1'
import { errorOf, isNotFound, readText, type Clock, type KubeClient } from '@berth/kube'
import { ignore } from './adoption.ts'
import type { ApiObject } from './owners.ts'

/** How long an answer of discovery is believed. */
const believedMs = 30_000

/** A kind that the server does not serve; worded as client-go's NoKindMatchError. */
export class NoSuchKind extends Error {
  override name = 'NoSuchKind'

  constructor(group: string, kind: string) {
    super(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`)
  }
}

/** Finds the resource of a kind by discovery of its group alone: in the group's preferred version, else in another. */
export class KindFinder {
  readonly #client: KubeClient
  readonly #clock: Clock
  readonly #groups = new Map<string, { at: number; kinds: Map<string, ResourceInfo<ApiObject>> }>()

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** Throws {@link NoSuchKind}, or what discovery failed with. */
  async find(group: string, kind: string): Promise<ResourceInfo<ApiObject>> {
    const known = this.#groups.get(group)
    const fresh = known !== undefined && this.#clock.now() - known.at < believedMs
    const kinds = fresh ? known.kinds : await this.#ask(group)
    const found = kinds.get(kind)
    if (found === undefined) {
      // A definition may have come since: the next one asks again.
      this.#groups.delete(group)
      throw new NoSuchKind(group, kind)
    }
    return found
  }

  async #ask(group: string): Promise<Map<string, ResourceInfo<ApiObject>>> {
    const kinds = new Map<string, ResourceInfo<ApiObject>>()
    for (const version of await this.#versions(group)) {
      const list = await getJson<APIResourceList>(this.#client, group === '' ? `/api/${version}` : `/apis/${group}/${version}`).catch(ignore(isNotFound))
      for (const resource of list?.resources ?? []) {
        if (resource.name.includes('/') || kinds.has(resource.kind)) continue
        kinds.set(resource.kind, {
          group, version, resource: resource.name, singular: resource.singularName ?? '', kind: resource.kind, namespaced: resource.namespaced,
          verbs: resource.verbs ?? [], shortNames: resource.shortNames ?? [], categories: resource.categories ?? [], subresources: [],
        })
      }
    }
    this.#groups.set(group, { at: this.#clock.now(), kinds })
    return kinds
  }

  /** A group's versions, the preferred one first; none where the group is not served. */
  async #versions(group: string): Promise<string[]> {
    if (group === '') return ['v1']
    const found = await getJson<APIGroup>(this.#client, `/apis/${group}`).catch(ignore(isNotFound))
    const preferred = found?.preferredVersion?.version
    const others = (found?.versions ?? []).map(({ version }) => version).filter((version) => version !== preferred)
    return preferred === undefined ? others : [preferred, ...others]
  }
}

async function getJson<T>(client: KubeClient, path: string): Promise<T> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
  if (response.status !== 200) throw await errorOf(response)
  return JSON.parse(await readText(response.body)) as T
}
