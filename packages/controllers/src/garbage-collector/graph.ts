import type { OwnerReference } from '@berth/api/types/meta/v1'
import type { ApiObject } from '../common/owners.ts'

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

/** Where an object is: enough to ask the server for it. */
export interface Coordinates {
  apiVersion: string
  kind: string
  /** Empty for cluster-scoped objects (and, for a virtual node, where nobody knows better than its dependents). */
  namespace: string
  name: string
  uid: string
}

/** An object in the graph of owners. */
export interface GraphNode extends Coordinates {
  owners: OwnerReference[]
  /** uids of the objects that name it as owner. */
  dependents: Set<string>
  beingDeleted: boolean
  /** Being deleted in the foreground: it waits for the dependents that block it. */
  deletingDependents: boolean
  /** Known only from a dependent's reference; no informer has shown it. */
  virtual: boolean
}

/** What a change in the graph asks for. */
export interface GraphWork {
  /** uids of objects whose owners must be looked at. */
  attemptToDelete: string[]
  /** uids of objects whose dependents must be set free. */
  attemptToOrphan: string[]
}

/** Who owns whom, kept from informers' events; pure. Objects are known by uid. */
export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>()

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid)
  }

  get size(): number {
    return this.#nodes.size
  }

  dependentsOf(node: GraphNode): GraphNode[] {
    return [...node.dependents].flatMap((uid) => this.#nodes.get(uid) ?? [])
  }

  /** An object was added or changed. */
  put(type: { apiVersion: string; kind: string }, object: ApiObject): GraphWork {
    const work: GraphWork = { attemptToDelete: [], attemptToOrphan: [] }
    const { metadata } = object
    const uid = metadata.uid ?? ''
    const owners = metadata.ownerReferences ?? []
    const known = this.#nodes.get(uid)
    const beingDeleted = metadata.deletionTimestamp !== undefined
    const finalizers = metadata.finalizers ?? []
    const deletingDependents = beingDeleted && finalizers.includes(foregroundFinalizer)
    const node: GraphNode = known ?? { ...type, namespace: metadata.namespace ?? '', name: metadata.name, uid, owners: [], dependents: new Set(), beingDeleted: false, deletingDependents: false, virtual: false }
    Object.assign(node, { ...type, namespace: metadata.namespace ?? '', name: metadata.name, virtual: false })
    const before = node.owners
    this.#nodes.set(uid, node)
    this.#setOwners(node, owners, work)

    if (beingDeleted && finalizers.includes(orphanFinalizer)) work.attemptToOrphan.push(uid)
    if (deletingDependents && !node.deletingDependents) work.attemptToDelete.push(uid, ...node.dependents)
    const becameDeleted = beingDeleted && !node.beingDeleted
    node.beingDeleted = beingDeleted
    node.deletingDependents = deletingDependents
    if (becameDeleted) work.attemptToDelete.push(...this.#waitingOwners(owners))
    // A dependent that no longer blocks, or no longer is one, may have been the last that its owner waits for.
    const released = before.filter((old) => old.blockOwnerDeletion === true && !owners.some((now) => now.uid === old.uid && now.blockOwnerDeletion === true))
    work.attemptToDelete.push(...this.#waitingOwners(released))
    if (owners.some((owner) => this.#isDoubtful(owner))) work.attemptToDelete.push(uid)
    return work
  }

  /** An object is gone: from an informer, or because the server said so of a virtual node. */
  remove(uid: string): GraphWork {
    const work: GraphWork = { attemptToDelete: [], attemptToOrphan: [] }
    const node = this.#nodes.get(uid)
    if (node === undefined) return work
    this.#nodes.delete(uid)
    work.attemptToDelete.push(...node.dependents)
    for (const owner of node.owners) this.#detach(owner.uid, uid)
    work.attemptToDelete.push(...this.#waitingOwners(node.owners))
    return work
  }

  #setOwners(node: GraphNode, owners: OwnerReference[], work: GraphWork): void {
    for (const old of node.owners) if (!owners.some((owner) => owner.uid === old.uid)) this.#detach(old.uid, node.uid)
    for (const owner of owners) {
      let found = this.#nodes.get(owner.uid)
      if (found === undefined) {
        found = { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name, uid: owner.uid, namespace: node.namespace, owners: [], dependents: new Set(), beingDeleted: false, deletingDependents: false, virtual: true }
        this.#nodes.set(owner.uid, found)
        work.attemptToDelete.push(owner.uid)
      }
      found.dependents.add(node.uid)
    }
    node.owners = owners
  }

  /** Whether a reference deserves a look at once: its owner waits for its dependents, or is not what the reference says. (Owners nobody has seen are looked at themselves.) */
  #isDoubtful(owner: OwnerReference): boolean {
    const found = this.#nodes.get(owner.uid)
    if (found === undefined || found.virtual) return false
    return found.deletingDependents || found.kind !== owner.kind || found.name !== owner.name
  }

  /** A virtual owner that nobody refers to any more is forgotten. */
  #detach(ownerUid: string, uid: string): void {
    const owner = this.#nodes.get(ownerUid)
    owner?.dependents.delete(uid)
    if (owner?.virtual === true && owner.dependents.size === 0) this.#nodes.delete(ownerUid)
  }

  #waitingOwners(owners: readonly OwnerReference[]): string[] {
    return owners.map((owner) => owner.uid).filter((uid) => this.#nodes.get(uid)?.deletingDependents === true)
  }
}
