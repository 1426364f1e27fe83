import { core, resource } from '@berth/api'
import type { Pod, PodResourceClaim } from '@berth/api/types/core/v1'
import type { ResourceClaim, ResourceClaimConsumerReference } from '@berth/api/types/resource/v1'
import { errorText, isNotFound, keyOf, splitKey, type EventRecorder, type Informer } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import { controllerIndex, controllerOf } from '../common/owners.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { claimFor, claimNameOf, deleteProtection, isOwnedBy, isPodDone, isReservedFor, needsWork, orphanFor, podClaimAnnotation, withoutProtection, withUsers } from './claims.ts'

/** How many deleted pods are remembered, so that the API server need not be asked about them. */
const maxRemembered = 500

type Key = `pod:${string}` | `claim:${string}`

/** Makes the ResourceClaims that pods' templates ask for, and gives claims free that nobody uses any more. */
export const resourceClaimController: Controller = {
  name: 'resourceclaim-controller',
  async run(context) {
    const pods = context.informers.for(core.pods, { indexers: { claim: claimIndex, template: templateIndex } })
    const claims = context.informers.for(resource.resourceclaims, { indexers: { controller: controllerIndex } })
    const templates = context.informers.for(resource.resourceclaimtemplates)
    const scope: Scope = { context, pods, claims, templateAt: (key) => templates.store.get(key), recorder: context.recorder('resource_claim'), made: new Map(), deleted: new Set() }
    const frame = keyedController<Key>({
      name: 'resource_claim', workers: 10, context, informers: [pods, claims, templates],
      sync: (key) => key.startsWith('pod:') ? syncPod(scope, key.slice(4)) : syncClaim(scope, key.slice(6)),
    })
    const podChanged = (pod: Pod, gone = false): void => {
      if ((pod.spec.resourceClaims ?? []).length === 0) return
      if (gone) remember(scope.deleted, pod.metadata.uid ?? '')
      if (gone || isPodDone(pod)) {
        for (const entry of pod.spec.resourceClaims ?? []) {
          const name = claimNameOf(pod, entry) ?? ''
          if (name !== '') frame.queue.add(`claim:${pod.metadata.namespace ?? ''}/${name}`)
        }
      }
      if (!gone && needsWork(pod, (key) => claims.store.get(key))) frame.queue.add(`pod:${keyOf(pod)}`)
    }
    const claimChanged = (claim: ResourceClaim, gone = false): void => {
      if (!gone) frame.queue.add(`claim:${keyOf(claim)}`)
      scope.made.delete(`${controllerOf(claim)?.uid ?? ''}/${claim.metadata.annotations?.[podClaimAnnotation] ?? ''}`)
      for (const pod of pods.store.byIndex('claim', keyOf(claim))) podChanged(pod)
    }
    const templateChanged = (template: { metadata: { name: string; namespace?: string } }): void => {
      for (const pod of pods.store.byIndex('template', keyOf(template))) podChanged(pod)
    }
    const off = [
      pods.on({ added: (pod) => podChanged(pod), updated: (_old, now) => podChanged(now), deleted: (pod) => podChanged(pod, true) }),
      claims.on({ added: (claim) => claimChanged(claim), updated: (_old, now) => claimChanged(now), deleted: (claim) => claimChanged(claim, true) }),
      templates.on({ added: templateChanged, updated: (_old, now) => templateChanged(now) }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}

interface Scope {
  readonly context: ControllerContext
  readonly pods: Informer<Pod>
  readonly claims: Informer<ResourceClaim>
  templateAt(key: string): Parameters<typeof claimFor>[2] | undefined
  readonly recorder: EventRecorder
  /** Claims that were made and have not come back from the API, by pod and entry. */
  readonly made: Map<string, ResourceClaim>
  /** Uids of pods that are gone. */
  readonly deleted: Set<string>
}

function remember(deleted: Set<string>, uid: string): void {
  deleted.add(uid)
  const [oldest] = deleted
  if (deleted.size > maxRemembered && oldest !== undefined) deleted.delete(oldest)
}

function claimIndex(pod: Pod): string[] {
  return (pod.spec.resourceClaims ?? []).flatMap((entry) => {
    const name = claimNameOf(pod, entry) ?? ''
    return name === '' ? [] : [`${pod.metadata.namespace ?? ''}/${name}`]
  })
}

function templateIndex(pod: Pod): string[] {
  const names = (pod.spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName }) => resourceClaimTemplateName ?? [])
  return [...new Set(names)].map((name) => `${pod.metadata.namespace ?? ''}/${name}`)
}

async function syncPod(scope: Scope, key: string): Promise<void> {
  const pod = scope.pods.store.get(key)
  if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return
  const made: { name: string; resourceClaimName: string }[] = []
  for (const entry of pod.spec.resourceClaims ?? []) {
    try {
      const claim = await claimOf(scope, pod, entry)
      if (claim !== undefined) made.push({ name: entry.name, resourceClaimName: claim.metadata.name })
    } catch (error) {
      if (isNamespaceTerminating(error)) return
      scope.recorder.event(pod, 'Warning', 'FailedResourceClaimCreation', `PodResourceClaim ${entry.name}: ${errorText(error)}`)
      throw new Error(`pod ${key}, PodResourceClaim ${entry.name}: ${errorText(error)}`, { cause: error })
    }
  }
  if (made.length > 0) await writeStatus(scope, pod, made)
  if ((pod.spec.nodeName ?? '') !== '') await reserve(scope, pod)
}

/** Makes the claim of an entry where that is to be done; gives it where the pod's status does not have it. */
async function claimOf({ context: { client }, claims, templateAt, made }: Scope, pod: Pod, entry: PodResourceClaim): Promise<ResourceClaim | undefined> {
  const { namespace = '' } = pod.metadata
  const name = claimNameOf(pod, entry)
  if (name === '') return undefined
  const known = name === undefined ? undefined : claims.store.get(`${namespace}/${name}`)
  // A claim that is not the pod's own any more is replaced.
  if (known && (entry.resourceClaimTemplateName === undefined || isOwnedBy(known, pod))) return undefined
  if (entry.resourceClaimTemplateName === undefined) return undefined
  const orphan = orphanFor(pod, entry, claims.store.byIndex('controller', pod.metadata.uid ?? ''))
  if (orphan) return orphan
  const id = `${pod.metadata.uid ?? ''}/${entry.name}`
  const unseen = made.get(id)
  if (unseen) return unseen
  const template = templateAt(`${namespace}/${entry.resourceClaimTemplateName}`)
  if (template === undefined) {
    throw new Error(`resource claim template "${entry.resourceClaimTemplateName}": resourceclaimtemplate.resource.k8s.io "${entry.resourceClaimTemplateName}" not found`)
  }
  const claim = await client.create(resource.resourceclaims, claimFor(pod, entry, template))
  made.set(id, claim)
  return claim
}

async function writeStatus({ context: { client } }: Scope, pod: Pod, made: readonly { name: string; resourceClaimName: string }[]): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, uid }, status: { resourceClaimStatuses: made } }
  await client.patch(core.pods, name, { type: 'apply', body }, { namespace, subresource: 'status', fieldManager: 'ResourceClaimController', force: true }).catch(ignore(isNotFound))
}

// A pod that was bound past the scheduler has no reservation: it gets one, if the claim has its devices.
async function reserve({ context: { client }, claims }: Scope, pod: Pod): Promise<void> {
  for (const entry of pod.spec.resourceClaims ?? []) {
    const name = claimNameOf(pod, entry) ?? ''
    const claim = name === '' ? undefined : claims.store.get(`${pod.metadata.namespace ?? ''}/${name}`)
    if (!claim?.status?.allocation || isReservedFor(claim, pod)) continue
    if (entry.resourceClaimTemplateName !== undefined && !isOwnedBy(claim, pod)) continue
    const reservedFor = [...claim.status.reservedFor ?? [], { resource: 'pods', name: pod.metadata.name, uid: pod.metadata.uid ?? '' }]
    await client.update(resource.resourceclaims, { ...claim, status: { ...claim.status, reservedFor } }, { subresource: 'status' })
  }
}

async function syncClaim(scope: Scope, key: string): Promise<void> {
  const { client } = scope.context
  let claim = scope.claims.store.get(key)
  if (claim === undefined) return
  const users = claim.status?.reservedFor ?? []
  const keeps = await Promise.all(users.map((user) => stillUses(scope, splitKey(key).namespace, user)))
  const remaining = users.filter((_, i) => keeps[i])
  const isProtected = (claim.metadata.finalizers ?? []).includes(deleteProtection)
  if (remaining.length < users.length) {
    // An update, and no patch: it is to fail where somebody was faster.
    claim = await client.update(resource.resourceclaims, withUsers(claim, remaining), { subresource: 'status' })
    if (isProtected && claim.status?.allocation === undefined) claim = await client.update(resource.resourceclaims, withoutProtection(claim))
  } else if (isProtected && claim.metadata.deletionTimestamp !== undefined && remaining.length === 0) {
    if (claim.status?.allocation) claim = await client.update(resource.resourceclaims, withUsers(claim, []), { subresource: 'status' })
    claim = await client.update(resource.resourceclaims, withoutProtection(claim))
  }
  if (remaining.length === 0) await deleteUnused(scope, claim)
}

async function stillUses({ context: { client }, pods, deleted }: Scope, namespace: string, { apiGroup = '', resource: kind, name, uid }: ResourceClaimConsumerReference): Promise<boolean> {
  // Users of other kinds are not ours to judge.
  if (apiGroup !== '' || kind !== 'pods') return true
  if (deleted.has(uid)) return false
  const known = pods.store.get(`${namespace}/${name}`)
  if (known) return known.metadata.uid === uid && !isPodDone(known)
  // It may not have reached us yet.
  const found = await client.get(core.pods, name, { namespace }).catch(ignore(isNotFound))
  return found !== undefined && (found as Pod).metadata.uid === uid
}

// A claim that was made for a pod goes when the pod has ended; the pod itself may stay for long.
async function deleteUnused({ context: { client }, pods }: Scope, claim: ResourceClaim): Promise<void> {
  const owner = controllerOf(claim)
  if (owner?.kind !== 'Pod' || owner.apiVersion !== 'v1') return
  const { name, namespace = '', uid } = claim.metadata
  const pod = pods.store.get(`${namespace}/${owner.name}`)
  if (pod === undefined || pod.metadata.uid === owner.uid && !isPodDone(pod)) return
  await client.delete(resource.resourceclaims, name, { namespace, preconditions: { uid } }).catch(ignore(isNotFound))
}
