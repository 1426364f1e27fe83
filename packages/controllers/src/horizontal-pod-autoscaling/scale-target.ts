import type { ResourceInfo } from '@berth/api'
import type { Scale } from '@berth/api/types/autoscaling/v1'
import type { CrossVersionObjectReference } from '@berth/api/types/autoscaling/v2'
import { isConflict, type KubeClient } from '@berth/kube'
import type { KindFinder } from '../common/kind-finder.ts'

/** Tries of a write that others cross, as client-go's DefaultRetry. */
const tries = 5

/** A target's scale, and the resource that it is of. */
export interface ScaleTarget {
  readonly resource: ResourceInfo
  readonly scale: Scale
}

/** The group of an `apiVersion`. Throws in upstream's words where it is none. */
export function groupOf(apiVersion: string): string {
  const parts = apiVersion.split('/')
  if (parts.length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`)
  return parts.length === 2 ? parts[0] ?? '' : ''
}

/** Reads the scale of what a reference names. Rejects with the server's refusal, or where the kind is not served. */
export async function readScale(client: KubeClient, kinds: KindFinder, { apiVersion = '', kind, name }: CrossVersionObjectReference, namespace: string): Promise<ScaleTarget> {
  const resource = await kinds.find(groupOf(apiVersion), kind)
  return { resource, scale: await getScale(client, resource, name, namespace) }
}

async function getScale(client: KubeClient, resource: ResourceInfo, name: string, namespace: string): Promise<Scale> {
  return await client.get(resource, name, { namespace, subresource: 'scale' }) as Scale
}

/** Sets how many replicas a target is to have, reading it anew where another write came between. */
export async function writeScale(client: KubeClient, { resource, scale }: ScaleTarget, replicas: number): Promise<void> {
  const { name, namespace = '' } = scale.metadata
  let known = scale
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.update(resource, { ...known, spec: { ...known.spec, replicas } }, { namespace, subresource: 'scale' })
      return
    } catch (error) {
      if (!isConflict(error) || attempt === tries) throw error
      known = await getScale(client, resource, name, namespace)
    }
  }
}
