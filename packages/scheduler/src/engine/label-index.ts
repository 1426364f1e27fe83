import type { Selector } from '@berth/api'

/** The one label value without which a selector cannot match: `key\0value`; undefined where there is no such. */
export function neededLabel(selector: Selector): string | undefined {
  for (const { key, operator, values } of selector.requirements) {
    if ((operator === '=' || operator === '==' || operator === 'in') && values.length === 1) return `${key}\0${values[0]}`
  }
  return undefined
}

/** Things with a selector, so that those which may be about some labels are found without asking all of them. */
export class LabelIndex<T> {
  readonly #byLabel = new Map<string, Set<T>>()
  readonly #others = new Set<T>()

  get isEmpty(): boolean {
    return this.#byLabel.size === 0 && this.#others.size === 0
  }

  add(item: T, selector: Selector): void {
    if (selector.nothing) return
    const label = neededLabel(selector)
    if (label === undefined) {
      this.#others.add(item)
      return
    }
    const items = this.#byLabel.get(label)
    if (items) items.add(item)
    else this.#byLabel.set(label, new Set([item]))
  }

  delete(item: T, selector: Selector): void {
    const label = neededLabel(selector)
    if (label === undefined) {
      this.#others.delete(item)
      return
    }
    const items = this.#byLabel.get(label)
    items?.delete(item)
    if (items?.size === 0) this.#byLabel.delete(label)
  }

  /** Calls with each thing that may be about the labels. */
  candidates(labels: Readonly<Record<string, string>> | undefined, call: (item: T) => void): void {
    for (const item of this.#others) call(item)
    if (this.#byLabel.size === 0 || !labels) return
    for (const key in labels) {
      const items = this.#byLabel.get(`${key}\0${labels[key]}`)
      if (items) for (const item of items) call(item)
    }
  }
}
