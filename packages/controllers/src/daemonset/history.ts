import { apps } from '@berth/api'
import type { ControllerRevision, DaemonSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import { labelSelectorMatcher, type KubeClient } from '@berth/kube'
import { claimObjects } from '../common/adoption.ts'
import { contentHash } from '../common/hash.ts'
import { byRevision, createRevision, deleteRevisions, nextRevision, revisionsToDelete, RevisionCollision, sameData, templatePatch } from '../common/revisions.ts'
import { hashLabel } from './pod-template.ts'

/** A set's revisions: the one of its present template, and those before. */
export interface History {
  current: ControllerRevision
  old: ControllerRevision[]
}

/**
 * Finds the revision of the set's present template among `revisions` (its own, and those nobody owns), or makes it; an old one that is the
 * present one again gets the highest number. A hash that another template has counts up the set's `collisionCount` and throws.
 */
export async function constructHistory(client: KubeClient, set: DaemonSet, revisions: readonly ControllerRevision[]): Promise<History> {
  const matches = labelSelectorMatcher(set.spec.selector)
  const own = await claimObjects({
    client, owner: set, ownerResource: apps.daemonsets, resource: apps.controllerrevisions, objects: revisions, matches: (revision) => matches(revision.metadata.labels),
  })
  const data = templatePatch(set.spec.template)
  const same = own.filter((revision) => sameData(revision.data, data)).toSorted(byRevision)
  const old = own.filter((revision) => !same.includes(revision))
  const kept = same.pop()
  await deleteRevisions(client, same)
  const number = nextRevision(old)
  if (kept === undefined) {
    const hash = contentHash(set.spec.template, set.status?.collisionCount ?? 0)
    try {
      return { old, current: await createRevision(client, { owner: set, resource: apps.daemonsets, hash, labels: { ...set.spec.template.metadata?.labels, [hashLabel]: hash }, data, revision: number }) }
    } catch (error) {
      if (error instanceof RevisionCollision) {
        const fresh = await client.get(apps.daemonsets, set.metadata.name, { namespace: set.metadata.namespace })
        const status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0, ...fresh.status, collisionCount: (fresh.status?.collisionCount ?? 0) + 1 }
        await client.update(apps.daemonsets, { ...fresh, status }, { subresource: 'status' })
      }
      throw error
    }
  }
  const labels = { ...kept.metadata.labels, [hashLabel]: kept.metadata.labels?.[hashLabel] ?? kept.metadata.name }
  if (kept.revision >= number && kept.metadata.labels?.[hashLabel] !== undefined) return { old, current: kept }
  return { old, current: await client.update(apps.controllerrevisions, { ...kept, revision: Math.max(number, kept.revision), metadata: { ...kept.metadata, labels } }) }
}

/** Deletes old revisions beyond `revisionHistoryLimit` that no pod is of. */
export async function cleanUpHistory(client: KubeClient, set: DaemonSet, old: readonly ControllerRevision[], pods: readonly Pod[]): Promise<void> {
  const live = new Set(pods.map((pod) => pod.metadata.labels?.[hashLabel]))
  await deleteRevisions(client, revisionsToDelete(old, (revision) => live.has(revision.metadata.labels?.[hashLabel]), set.spec.revisionHistoryLimit ?? 10))
}
