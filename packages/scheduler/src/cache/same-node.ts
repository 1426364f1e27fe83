import type { Node } from '@berth/api/types/core/v1'

/** What changes all the time and no plugin reads. */
const unread = new Set(['resourceVersion', 'managedFields', 'generation', 'conditions'])
const nothing: ReadonlySet<string> = new Set()

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false
    return true
  }
  return sameFields(a, b, nothing)
}

/** Whether all fields are alike but for some. */
function sameFields(a: object, b: object, but: ReadonlySet<string>): boolean {
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>]
  for (const key in one) if (!but.has(key) && !same(one[key], other[key])) return false
  for (const key in other) if (other[key] !== undefined && one[key] === undefined && !but.has(key)) return false
  return true
}

/** Whether two states of a node are alike to every plugin: a heartbeat changes none of it. */
export function isSameNode(a: Node, b: Node): boolean {
  return a === b || (sameFields(a.metadata, b.metadata, unread) && sameFields(a.spec, b.spec, nothing) && sameFields(a.status ?? {}, b.status ?? {}, unread))
}

/** Whether nodes have the same images, and the same to give: the two parts that are more than compared. */
export function hasSameImages(a: Node, b: Node): boolean {
  return same(a.status?.images ?? [], b.status?.images ?? [])
}

export function hasSameAllocatable(a: Node, b: Node): boolean {
  return same(a.status?.allocatable ?? {}, b.status?.allocatable ?? {})
}
