import type { ResourceInfo } from '@berth/api'
import { isInvalid, isNotFound, type KubeClient } from '@berth/kube'
import { controllerOf, controllerReference, type ApiObject } from './owners.ts'

/** What to do with an object that a controller's selector or reference touches. */
export type Claim = 'own' | 'adopt' | 'release' | 'ignore'

/**
 * Decides upon one object as upstream's ControllerRefManager: what we control and select is ours; what we control and no longer select is let
 * go; what nobody controls and we select is adopted, unless it or we are being deleted.
 */
export function decideClaim(owner: ApiObject, matches: boolean, object: ApiObject): Claim {
  const controller = controllerOf(object)
  const leaving = owner.metadata.deletionTimestamp !== undefined
  if (controller !== undefined) {
    if (controller.uid !== owner.metadata.uid) return 'ignore'
    if (matches) return 'own'
    return leaving ? 'ignore' : 'release'
  }
  if (leaving || !matches || object.metadata.deletionTimestamp !== undefined || object.metadata.namespace !== owner.metadata.namespace) return 'ignore'
  return 'adopt'
}

export interface ClaimOptions<O extends ApiObject, T extends ApiObject> {
  client: KubeClient
  owner: O
  ownerResource: ResourceInfo<O>
  resource: ResourceInfo<T>
  objects: readonly T[]
  matches(object: T): boolean
}

/** Gives the objects that are the owner's, adopting and releasing where due. Before the first adoption the owner is read anew from the server. */
export async function claimObjects<O extends ApiObject, T extends ApiObject>(options: ClaimOptions<O, T>): Promise<T[]> {
  const { client, owner, ownerResource, resource } = options
  const namespace = owner.metadata.namespace
  const claimed: T[] = []
  let checked = false
  for (const object of options.objects) {
    const claim = decideClaim(owner, options.matches(object), object)
    if (claim === 'own') claimed.push(object)
    if (claim === 'release') {
      const patch = { metadata: { uid: object.metadata.uid, ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }] } }
      // Gone, or already without our reference: nothing to release.
      await client.patch(resource, object.metadata.name, { type: 'strategic', body: patch }, { namespace }).catch(ignore(isNotFound, isInvalid))
    }
    if (claim === 'adopt') {
      if (!checked) {
        const fresh = await client.get(ownerResource, owner.metadata.name, { namespace })
        if (fresh.metadata.uid !== owner.metadata.uid) throw new Error(`original ${ownerResource.kind} ${namespace}/${owner.metadata.name} is gone: got uid ${fresh.metadata.uid}, wanted ${owner.metadata.uid}`)
        if (fresh.metadata.deletionTimestamp !== undefined) throw new Error(`${namespace}/${owner.metadata.name} has just been deleted at ${fresh.metadata.deletionTimestamp}`)
        checked = true
      }
      const patch = { metadata: { uid: object.metadata.uid, ownerReferences: [controllerReference(owner, ownerResource)] } }
      const adopted = await client.patch(resource, object.metadata.name, { type: 'strategic', body: patch }, { namespace }).catch(ignore(isNotFound))
      if (adopted !== undefined) claimed.push(adopted)
    }
  }
  return claimed
}

/** A catch handler that lets errors of these kinds pass as undefined. */
export function ignore(...kinds: ((error: unknown) => boolean)[]): (error: unknown) => undefined {
  return (error) => {
    if (!kinds.some((kind) => kind(error))) throw error
    return undefined
  }
}
