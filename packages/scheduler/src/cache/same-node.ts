import type { Node } from '@berth/api/types/core/v1'

/** What changes all the time and no plugin reads. */
const unread = new Set(['resourceVersion', 'managedFields', 'generation', 'conditions'])

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false
    return true
  }
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>]
  let keys = 0
  for (const key in one) {
    if (one[key] === undefined) continue
    keys++
    if (!same(one[key], other[key])) return false
  }
  for (const key in other) if (other[key] !== undefined) keys--
  return keys === 0
}

function samePart(a: object | undefined, b: object | undefined): boolean {
  if (a === b) return true
  const [one, other] = [(a ?? {}) as Record<string, unknown>, (b ?? {}) as Record<string, unknown>]
  for (const key in one) if (!unread.has(key) && !same(one[key], other[key])) return false
  for (const key in other) if (!unread.has(key) && other[key] !== undefined && one[key] === undefined) return false
  return true
}

/** Whether two states of a node are alike to every plugin: a heartbeat changes none of it. */
export function isSameNode(a: Node, b: Node): boolean {
  return a === b || (samePart(a.metadata, b.metadata) && samePart(a.spec, b.spec) && samePart(a.status, b.status))
}
