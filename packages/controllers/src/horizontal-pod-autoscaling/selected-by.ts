import type { Pod } from '@berth/api/types/core/v1'
import type { Selector } from '@berth/kube'
import { splitKey } from '@berth/kube'

/** The selectors of autoscalers' targets, by the autoscalers' keys: two of them must not pull at the same pods. */
export class TargetSelectors {
  readonly #selectors = new Map<string, Selector>()

  set(key: string, selector: Selector): void {
    this.#selectors.set(key, selector)
  }

  delete(key: string): void {
    this.#selectors.delete(key)
  }

  /** The autoscalers of a namespace that select at least one of its `pods`, in order of their keys. */
  selecting(namespace: string, pods: readonly Pod[]): string[] {
    return [...this.#selectors].filter(([key, selector]) => splitKey(key).namespace === namespace && pods.some((pod) => selector.matches(pod.metadata.labels ?? {}))).map(([key]) => key).toSorted()
  }
}

/** Keys as upstream prints a list of them. */
export function printedKeys(keys: readonly string[]): string {
  return `[${keys.map((key) => `{${splitKey(key).name} ${splitKey(key).namespace}}`).join(' ')}]`
}
