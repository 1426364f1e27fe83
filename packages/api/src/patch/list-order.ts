import type { Json } from '../schema/model.ts'

/** Tells items of a merged list apart: by their merge key, or by themselves where they are scalars. */
export type KeyOf = (item: Json) => string | undefined

/** Where each item stands in a list, by key; of several with one key, the first. */
export function placesOf(list: readonly Json[], keyOf: KeyOf): Map<string, number> {
  const places = new Map<string, number>()
  for (const [i, item] of list.entries()) {
    const key = keyOf(item)
    if (key !== undefined && !places.has(key)) places.set(key, i)
  }
  return places
}

/** Items that `order` knows stand in its order; the others keep their places of `live` among them. */
export function arrange(merged: readonly Json[], order: readonly Json[], live: readonly Json[], keyOf: KeyOf): Json[] {
  const inOrder = placesOf(order, keyOf)
  const inLive = placesOf(live, keyOf)
  const place = (places: Map<string, number>, item: Json): number => places.get(keyOf(item) ?? '') ?? -1
  const known = merged.filter((item) => place(inOrder, item) >= 0)
  const others = merged.filter((item) => place(inOrder, item) < 0)
  const sorted = (list: Json[], places: Map<string, number>): Json[] => list.sort((a, b) => place(places, a) - place(places, b))
  return interleave(sorted(others, inLive), sorted(known, inOrder), (item) => place(inLive, item))
}

/** Puts two sorted lists together: an item of `left` goes before the first item of `right` that comes after it in the live list, where both were. */
function interleave(left: readonly Json[], right: readonly Json[], placeInLive: (item: Json) => number): Json[] {
  const out: Json[] = []
  let next = 0
  for (const item of right) {
    const at = placeInLive(item)
    for (; next < left.length; next++) {
      const other = left[next] ?? null
      const place = placeInLive(other)
      if (place < 0 || place >= at) break
      out.push(other)
    }
    out.push(item)
  }
  return [...out, ...left.slice(next)]
}
