import type { ResourceInfo } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { errorText, isNotFound, type KubeClient } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { discoverResources } from '../common/discovery.ts'
import type { ApiObject } from '../common/owners.ts'
import type { ContentReport } from './conditions.ts'

export interface ContentResult {
  report: ContentReport
  /** When to look again, in seconds: the longest grace that is being waited for. */
  estimateSeconds: number
}

/**
 * Deletes what a namespace holds: pods first, and all else once they are gone (so that a pod that ends still has its secrets and Services), as
 * upstream since 1.34. Every resource that the server serves counts, known to us or not.
 */
export async function deleteContent(client: KubeClient, namespace: string): Promise<ContentResult> {
  const { resources, failures } = await discoverResources(client)
  const report: ContentReport = { discoveryFailures: failures, deletionFailures: [], remaining: new Map(), finalizers: new Map() }
  const result: ContentResult = { report, estimateSeconds: 0 }
  const deletable = resources.filter((resource) => resource.namespaced && resource.verbs.includes('delete') && resource.verbs.includes('list'))
  const isPods = (resource: ResourceInfo): boolean => resource.group === '' && resource.resource === 'pods'
  for (const resource of deletable.filter(isPods)) await deleteAll(client, resource, namespace, result)
  if (report.remaining.size > 0 || report.deletionFailures.length > 0) return result
  await Promise.all(deletable.filter((resource) => !isPods(resource)).map((resource) => deleteAll(client, resource, namespace, result)))
  return result
}

async function deleteAll(client: KubeClient, resource: ResourceInfo<ApiObject>, namespace: string, result: ContentResult): Promise<void> {
  const { report } = result
  try {
    const before = await client.list(resource, { namespace })
    if (before.items.length === 0) return
    if (resource.verbs.includes('deletecollection')) await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' })
    else {
      for (const { metadata } of before.items) await client.delete(resource, metadata.name, { namespace, propagationPolicy: 'Background' }).catch(ignore(isNotFound))
    }
    const left = (await client.list(resource, { namespace })).items
    if (left.length === 0) return
    report.remaining.set(`${resource.resource}.${resource.group}`, left.length)
    for (const object of left) for (const finalizer of object.metadata.finalizers ?? []) report.finalizers.set(finalizer, (report.finalizers.get(finalizer) ?? 0) + 1)
    result.estimateSeconds = Math.max(result.estimateSeconds, ...left.map(graceOf))
  } catch (error) {
    report.deletionFailures.push(errorText(error))
  }
}

/** How long an object may yet take: a pod its grace period, others upstream's guess for finalizers. */
function graceOf(object: ApiObject): number {
  if ((object.metadata.finalizers ?? []).length > 0) return 15
  if (object.metadata.deletionGracePeriodSeconds !== undefined) return object.metadata.deletionGracePeriodSeconds
  return (object as Partial<Pod>).spec?.terminationGracePeriodSeconds ?? 0
}
