import type { Node, Pod } from '@berth/api/types/core/v1'
import type { EventObjects } from './plugin.ts'

/** The node of a node's event, before and after. */
export function nodesOf({ old, now }: EventObjects): { readonly old: Node | undefined; readonly now: Node | undefined } {
  // An event's name says what its objects are.
  return { old: old as Node | undefined, now: now as Node | undefined }
}

/** The pod of a pod's event, before and after. */
export function podsOf({ old, now }: EventObjects): { readonly old: Pod | undefined; readonly now: Pod | undefined } {
  return { old: old as Pod | undefined, now: now as Pod | undefined }
}
