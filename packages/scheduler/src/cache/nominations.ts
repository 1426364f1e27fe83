import type { PodInfo } from '../framework/pod-info.ts'

/** Waiting pods that have their room on a node: nobody of the same or a lower priority may take it. */
export class Nominations {
  readonly #nodes = new Map<string, string>()
  readonly #pods = new Map<string, Map<string, PodInfo>>()

  /** The node a pod is nominated to. */
  of(key: string): string | undefined {
    return this.#nodes.get(key)
  }

  /** The pods nominated to a node; undefined where there are none. */
  on(node: string): ReadonlyMap<string, PodInfo> | undefined {
    return this.#pods.get(node)
  }

  /** The nodes that pods are nominated to. */
  nodes(): Iterable<string> {
    return this.#pods.keys()
  }

  get size(): number {
    return this.#nodes.size
  }

  set(pod: PodInfo, node: string): void {
    this.delete(pod.key)
    this.#nodes.set(pod.key, node)
    const pods = this.#pods.get(node) ?? new Map<string, PodInfo>()
    pods.set(pod.key, pod)
    this.#pods.set(node, pods)
  }

  delete(key: string): void {
    const node = this.#nodes.get(key)
    if (node === undefined) return
    this.#nodes.delete(key)
    const pods = this.#pods.get(node)
    pods?.delete(key)
    if (pods?.size === 0) this.#pods.delete(node)
  }
}
