import type { ResourceInfo } from '@berth/api'
import { errorOf, readText, type KubeClient } from '@berth/kube'

interface ApiResource { name: string, singularName: string, kind: string, namespaced: boolean, shortNames?: string[], group?: string, version?: string }
interface GroupList { groups: { name: string, preferredVersion: { groupVersion: string, version: string }, versions: { groupVersion: string, version: string }[] }[] }

/** Finds resources as the server tells of them; asks each time, since definitions come and go. */
export interface ResourceFinder {
  /** The resource of an object. Throws with kubectl's words where the server has none. */
  ofObject(object: { apiVersion?: string | undefined, kind?: string | undefined }): Promise<ResourceInfo>
  /** As kubectl reads it: `deployments`, `deploy`, `deployment.apps`, `websites.v1.examples.berth.dev`, or a kind. */
  ofName(name: string): Promise<ResourceInfo>
}

export function resourceFinder(client: KubeClient): ResourceFinder {
  const ask = async <T>(path: string): Promise<T | undefined> => {
    const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
    if (response.status === 404) {
      await readText(response.body)
      return undefined
    }
    if (response.status !== 200) throw await errorOf(response)
    return JSON.parse(await readText(response.body)) as T
  }
  const resourcesOf = async (groupVersion: string): Promise<ResourceInfo[]> => {
    const list = await ask<{ resources: ApiResource[] }>(groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`)
    return (list?.resources ?? []).filter(({ name }) => !name.includes('/')).map((each) => infoOf(groupVersion, each))
  }
  return {
    async ofObject({ apiVersion = '', kind = '' }) {
      const found = (await resourcesOf(apiVersion)).find((each) => each.kind === kind)
      if (!found) throw new Error(`no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}: is its CustomResourceDefinition installed?`)
      return found
    },
    async ofName(name) {
      const [type = '', ...rest] = name.toLowerCase().split('.')
      const groups = (await ask<GroupList>('/apis'))?.groups ?? []
      const versions = ['v1', ...groups.map(({ preferredVersion }) => preferredVersion.groupVersion), ...groups.flatMap((group) => group.versions.map(({ groupVersion }) => groupVersion))]
      for (const groupVersion of new Set(versions)) {
        const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
        if (rest.length > 0 && rest.join('.') !== group && rest.join('.') !== `${version}.${group}`) continue
        const found = (await resourcesOf(groupVersion)).find((each) => each.resource === type || each.singular === type || each.kind.toLowerCase() === type || each.shortNames.includes(type))
        if (found) return found
      }
      throw new Error(`the server doesn't have a resource type ${JSON.stringify(name)}`)
    },
  }
}

function infoOf(groupVersion: string, { name, singularName, kind, namespaced, shortNames = [] }: ApiResource): ResourceInfo {
  const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  return { group, version, resource: name, singular: singularName, kind, namespaced, verbs: [], shortNames, categories: [], subresources: [] }
}
