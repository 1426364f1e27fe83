import { apps } from '@berth/api'
import type { ControllerRevision, StatefulSet } from '@berth/api/types/apps/v1'
import type { Pod } from '@berth/api/types/core/v1'
import type { KubeClient } from '@berth/kube'
import { contentHash } from '../common/hash.ts'
import { byRevision, createRevision, deleteRevisions, nextRevision, revisionsToDelete, RevisionCollision, sameData, templatePatch } from '../common/revisions.ts'
import { revisionOf } from './identity.ts'

const hashLabel = 'controller.kubernetes.io/hash'
const tries = 10

/** A set's revisions: what its pods had, and what they are to have. */
export interface Revisions {
  current: ControllerRevision
  update: ControllerRevision
  collisionCount: number
}

/** Finds or makes the revision of the set's present template, and finds the one it comes from; that is the same where none is known. */
export async function currentRevisions(client: KubeClient, set: StatefulSet, known: readonly ControllerRevision[]): Promise<Revisions> {
  const data = templatePatch(set.spec.template)
  const sorted = known.toSorted(byRevision)
  const same = sorted.findLast((revision) => sameData(revision.data, data))
  let collisionCount = set.status?.collisionCount ?? 0
  let update: ControllerRevision
  if (same === undefined) {
    for (;;) {
      const hash = contentHash(set.spec.template, collisionCount)
      try {
        update = await createRevision(client, { owner: set, resource: apps.statefulsets, hash, labels: { ...set.spec.template.metadata?.labels, [hashLabel]: hash }, data, revision: nextRevision(known) })
        break
      } catch (error) {
        if (!(error instanceof RevisionCollision) || collisionCount > (set.status?.collisionCount ?? 0) + tries) throw error
        collisionCount += 1
      }
    }
  } else if (same === sorted.at(-1)) update = same
  else update = await client.update(apps.controllerrevisions, { ...same, revision: nextRevision(known) })
  const current = known.find((revision) => revision.metadata.name === set.status?.currentRevision)
  return { current: current === undefined || current.metadata.name === update.metadata.name ? update : current, update, collisionCount }
}

/** Deletes revisions beyond `revisionHistoryLimit` that neither a pod nor the status names. */
export async function truncateHistory(client: KubeClient, set: StatefulSet, known: readonly ControllerRevision[], { current, update }: Revisions, pods: readonly Pod[]): Promise<void> {
  const live = new Set([current.metadata.name, update.metadata.name, ...pods.map(revisionOf)])
  const history = known.filter((revision) => !live.has(revision.metadata.name))
  await deleteRevisions(client, revisionsToDelete(history, () => false, set.spec.revisionHistoryLimit ?? 10))
}
