import type { Json } from '../schema/model.ts'

/** How items of a merged list are told apart. */
export interface Items {
  same(a: Json, b: Json): boolean
}

const indexIn = (list: readonly Json[], item: Json, items: Items): number => list.findIndex((other) => items.same(item, other))

/** The items in the order in which they stand in `order`. */
export function inOrderOf(list: readonly Json[], order: readonly Json[], items: Items): Json[] {
  return list.map((item) => ({ item, at: indexIn(order, item, items) })).sort((a, b) => a.at - b.at).map(({ item }) => item)
}

/**
 * Puts two sorted lists together: an item of `left` goes before the first item of `right` that comes after it in `order`.
 * An item of `right` that `order` does not know goes first.
 */
export function interleave(left: readonly Json[], right: readonly Json[], order: readonly Json[], items: Items): Json[] {
  const out: Json[] = []
  const rest = [...left]
  for (const item of right) {
    const at = indexIn(order, item, items)
    for (let first = rest[0]; first !== undefined && at >= 0; first = rest[0]) {
      const i = indexIn(order, first, items)
      if (i < 0 || i >= at) break
      out.push(first)
      rest.shift()
    }
    out.push(item)
  }
  return [...out, ...rest]
}
