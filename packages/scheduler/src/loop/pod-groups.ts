import { podGroups } from '../plugins/gang-scheduling/pod-groups.ts'
import type { Pod } from '@berth/api/types/core/v1'
import type { Snapshot } from '../framework/snapshot.ts'
import type { PodGroupState } from '../framework/waiting-pods.ts'

interface Group {
  readonly all: Set<string>
  /** Those that have a node, or are on their way to one. */
  readonly placed: Set<string>
}

/** The pods of each PodGroup (scheduling.k8s.io/v1alpha2): who there is and who has a node. */
export class PodGroups {
  readonly #groups = new Map<string, Group>()
  readonly #groupOf = new Map<string, string>()

  /** The group that a pod names, `namespace/name`; undefined for a pod that is in none. */
  of(pod: Pod): string | undefined {
    const name = pod.spec.schedulingGroup?.podGroupName
    return name ? `${pod.metadata.namespace ?? 'default'}/${name}` : undefined
  }

  /** A pod is there; says whether it is new to its group. */
  set(pod: Pod): boolean {
    const id = this.of(pod)
    if (id === undefined) return false
    const key = `${pod.metadata.namespace ?? 'default'}/${pod.metadata.name}`
    const group = this.#groups.get(id) ?? { all: new Set(), placed: new Set() }
    this.#groups.set(id, group)
    this.#groupOf.set(key, id)
    const isNew = !group.all.has(key)
    group.all.add(key)
    if (pod.spec.nodeName) group.placed.add(key)
    return isNew
  }

  gone(key: string): void {
    const id = this.#groupOf.get(key)
    const group = id === undefined ? undefined : this.#groups.get(id)
    if (id === undefined || !group) return
    this.#groupOf.delete(key)
    group.all.delete(key)
    group.placed.delete(key)
    if (group.all.size === 0) this.#groups.delete(id)
  }

  assume(key: string): void {
    const id = this.#groupOf.get(key)
    if (id !== undefined) this.#groups.get(id)?.placed.add(key)
  }

  forget(key: string): void {
    const id = this.#groupOf.get(key)
    if (id !== undefined) this.#groups.get(id)?.placed.delete(key)
  }

  /** The group's pods without a node, but for one. */
  waiting(id: string, but: string): string[] {
    const group = this.#groups.get(id)
    return group ? [...group.all].filter((key) => key !== but && !group.placed.has(key)) : []
  }

  state(namespace: string, name: string): PodGroupState {
    const group = this.#groups.get(`${namespace}/${name}`)
    return { all: group?.all.size ?? 0, placed: group?.placed ?? new Set(), waiting: group ? [...group.all].filter((key) => !group.placed.has(key)) : [] }
  }

  /** How many of the group have a node, and how many have to for any of them to run (gang policy's minCount; none for others). */
  quorum(id: string, snapshot: Snapshot): { needed: number; placed: number } {
    const gang = snapshot.objects(podGroups).get(id)?.spec.schedulingPolicy.gang
    return { needed: gang?.minCount ?? 0, placed: this.#groups.get(id)?.placed.size ?? 0 }
  }
}
