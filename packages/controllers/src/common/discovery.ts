import type { ResourceInfo } from '@berth/api'
import type { APIGroupList, APIResourceList, APIVersions } from '@berth/api/types/meta/v1'
import { ApiError, errorOf, readText, type KubeClient } from '@berth/kube'
import type { ApiObject } from './owners.ts'

/** Groups that could not be asked, each as `GROUP/VERSION: reason`. */
export interface Discovered {
  resources: ResourceInfo<ApiObject>[]
  failures: string[]
}

/** What the server serves, each resource in its group's preferred version, without subresources. */
export async function discoverResources(client: KubeClient): Promise<Discovered> {
  const versions = (await getJson<APIVersions>(client, '/api')).versions ?? []
  const groups = (await getJson<APIGroupList>(client, '/apis')).groups ?? []
  const asked = [
    ...versions.map((version) => ({ group: '', version, path: `/api/${version}` })),
    ...groups.flatMap((group) => {
      const preferred = group.preferredVersion ?? group.versions[0]
      return preferred === undefined ? [] : [{ group: group.name, version: preferred.version, path: `/apis/${preferred.groupVersion}` }]
    }),
  ]
  const found: Discovered = { resources: [], failures: [] }
  await Promise.all(asked.map(async ({ group, version, path }) => {
    try {
      const list = await getJson<APIResourceList>(client, path)
      for (const resource of list.resources ?? []) {
        if (resource.name.includes('/')) continue
        found.resources.push({
          group, version, resource: resource.name, singular: resource.singularName ?? '', kind: resource.kind, namespaced: resource.namespaced,
          verbs: resource.verbs ?? [], shortNames: resource.shortNames ?? [], categories: resource.categories ?? [], subresources: [],
        })
      }
    } catch (error) {
      const groupVersion = group === '' ? version : `${group}/${version}`
      // An aggregated server that does not answer: what is known of it may be old.
      const reason = error instanceof ApiError && error.code === 503 ? `stale GroupVersion discovery: ${groupVersion}` : (error as Error).message
      found.failures.push(`${groupVersion}: ${reason}`)
    }
  }))
  found.resources.sort((a, b) => a.group < b.group ? -1 : a.group > b.group ? 1 : a.resource < b.resource ? -1 : 1)
  return found
}

async function getJson<T>(client: KubeClient, path: string): Promise<T> {
  const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
  if (response.status !== 200) throw await errorOf(response)
  return JSON.parse(await readText(response.body)) as T
}
