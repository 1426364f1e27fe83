import type { KubeClient } from '@berth/kube'
import type { Waiting } from '../wait/wait-for.ts'
import { readManifests, type Manifest, type NamedObject } from './manifests.ts'
import type { ResourceFinder } from './resource-finder.ts'

const fieldManager = 'berth-testing'

export interface ApplyScope {
  readonly client: KubeClient
  readonly finder: ResourceFinder
  readonly wait: Waiting
}

/**
 * Applies manifests one after the other, by server-side apply, and gives what became of them. After a CustomResourceDefinition it waits until the kind
 * is served, so that objects of it may follow. Throws the server's refusal, with the object's name before it.
 */
export async function applyManifests({ client, finder, wait }: ApplyScope, manifest: Manifest, namespace = 'default'): Promise<NamedObject[]> {
  const applied: NamedObject[] = []
  for (const object of await readManifests(manifest)) {
    const name = `${object.kind}/${object.metadata.name}`
    try {
      const resource = await finder.ofObject(object)
      const where = resource.namespaced ? { namespace: object.metadata.namespace ?? namespace } : {}
      applied.push(await client.patch(resource, object.metadata.name, { type: 'apply', body: object }, { ...where, fieldManager, force: true }) as NamedObject)
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
    if (object.kind === 'CustomResourceDefinition') await wait.until(object, 'condition=Established')
  }
  return applied
}
