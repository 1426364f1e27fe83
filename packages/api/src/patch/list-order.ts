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
  let next = 0
  for (const item of right) {
    const at = indexIn(order, item, items)
    const comesBefore = (other: Json): boolean => {
      const i = indexIn(order, other, items)
      return i >= 0 && i < at
    }
    for (const other of left.slice(next)) {
      if (!comesBefore(other)) break
      out.push(other)
      next++
    }
    out.push(item)
  }
  return [...out, ...left.slice(next)]
}
