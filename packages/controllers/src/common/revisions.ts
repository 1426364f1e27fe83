import { apps, type ResourceInfo } from '@berth/api'
import type { ControllerRevision } from '@berth/api/types/apps/v1'
import type { PodTemplateSpec } from '@berth/api/types/core/v1'
import { isAlreadyExists, isNotFound, type KubeClient } from '@berth/kube'
import { ignore } from './adoption.ts'
import { canonicalJson } from './hash.ts'
import { controllerReference, type ApiObject } from './owners.ts'

// Revisions of DaemonSets and StatefulSets, in the form in which kubectl and a stock controller manager read them.

/** What a revision of a template holds: the strategic merge patch that brings its owner back to it. */
export function templatePatch(template: PodTemplateSpec): Record<string, unknown> {
  return { spec: { template: { ...structuredClone(template), $patch: 'replace' } } }
}

/** The template that a revision holds; undefined where it holds something else. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec | undefined {
  const spec = revision.data?.spec as { template?: PodTemplateSpec & { $patch?: string } } | undefined
  if (spec?.template === undefined) return undefined
  const { $patch: _replace, ...template } = spec.template
  return template
}

export function sameData(a: ControllerRevision['data'], b: ControllerRevision['data']): boolean {
  return canonicalJson(a) === canonicalJson(b)
}

/** Oldest first: by revision, then age, then name. */
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  if (a.revision !== b.revision) return a.revision - b.revision
  const created = (each: ControllerRevision): string => each.metadata.creationTimestamp ?? ''
  if (created(a) !== created(b)) return created(a) < created(b) ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

export function nextRevision(revisions: readonly ControllerRevision[]): number {
  return Math.max(0, ...revisions.map((each) => each.revision)) + 1
}

/** Revisions to delete so that `limit` remain of those that nobody lives on, oldest first. */
export function revisionsToDelete(old: readonly ControllerRevision[], isLive: (revision: ControllerRevision) => boolean, limit: number): ControllerRevision[] {
  return old.filter((each) => !isLive(each)).toSorted(byRevision).slice(0, Math.max(0, old.length - limit))
}

/** Another content has the name already: a revision of this one must be named by another hash. */
export class RevisionCollision extends Error {
  override name = 'RevisionCollision'
}

export interface NewRevision<O extends ApiObject> {
  owner: O
  resource: ResourceInfo<O>
  hash: string
  labels: Record<string, string>
  data: Record<string, unknown>
  revision: number
}

/** Creates a revision of its owner, or gives the one of that name and content. Throws RevisionCollision where the name has other content. */
export async function createRevision<O extends ApiObject>(client: KubeClient, { owner, resource, hash, labels, data, revision }: NewRevision<O>): Promise<ControllerRevision> {
  const { name: ownerName, namespace, annotations } = owner.metadata
  const name = `${ownerName.slice(0, 223)}-${hash}`
  const wanted: ControllerRevision = {
    apiVersion: 'apps/v1', kind: 'ControllerRevision',
    metadata: { name, namespace, labels, ...(annotations === undefined ? {} : { annotations: { ...annotations } }), ownerReferences: [controllerReference(owner, resource)] },
    data, revision,
  }
  try {
    return await client.create(apps.controllerrevisions, wanted)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const known = await client.get(apps.controllerrevisions, name, { namespace })
    if (sameData(known.data, data)) return known
    throw new RevisionCollision(`revision ${namespace}/${name} holds another template`, { cause: error })
  }
}

export async function deleteRevisions(client: KubeClient, revisions: readonly ControllerRevision[]): Promise<void> {
  for (const { metadata: { name, namespace, uid } } of revisions) await client.delete(apps.controllerrevisions, name, { namespace, preconditions: { uid } }).catch(ignore(isNotFound))
}
