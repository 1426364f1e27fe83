import { tryParseQuantity } from '@berth/api'
import type { Node } from '@berth/api/types/core/v1'
import type { NodeInfo } from '../../framework/node-info.ts'
import type { PodInfo } from '../../framework/pod-info.ts'

export const directions = ['ingress', 'egress'] as const
export type Direction = (typeof directions)[number]
/** Bits per second, each way. */
export type Bandwidth = Readonly<Record<Direction, number>>

/** The annotation of a node that says how fast its link is, both ways; the two by direction come before it. */
export const linkSpeedAnnotation = 'berth.dev/link-speed'

const resourceOf = (direction: Direction): string => `berth.dev/${direction}-bandwidth`
const podAnnotation = (direction: Direction): string => `kubernetes.io/${direction}-bandwidth`
const nodeAnnotation = (direction: Direction): string => `berth.dev/${direction}-bandwidth-capacity`

/** A quantity of bits per second; undefined for what is none. */
function bits(text: string): number | undefined {
  const value = tryParseQuantity(text)?.value()
  return value === undefined || value < 0n ? undefined : Number(value)
}

const wishes = new WeakMap<PodInfo, Bandwidth | string>()

/** What a pod wants of a link: the larger of its requests and of upstream's annotation. A string says what cannot be read. */
export function wantedBy(pod: PodInfo): Bandwidth | string {
  const before = wishes.get(pod)
  if (before !== undefined) return before
  const found = readWish(pod)
  wishes.set(pod, found)
  return found
}

function readWish({ amounts, pod }: PodInfo): Bandwidth | string {
  const wish = { ingress: 0, egress: 0 }
  for (const direction of directions) {
    const annotation = pod.metadata.annotations?.[podAnnotation(direction)]
    const annotated = annotation === undefined ? 0 : bits(annotation)
    if (annotated === undefined) return `annotation ${podAnnotation(direction)}: ${JSON.stringify(annotation)} is not a quantity of bits per second`
    wish[direction] = Math.max(annotated, amounts[resourceOf(direction)] ?? 0)
  }
  return wish
}

/** What a node's link carries, by direction; undefined where the node says nothing of it, null where what it says cannot be read. */
export type Link = Readonly<Record<Direction, number | undefined | null>>

const links = new WeakMap<Node, Link>()

/** A node's link: its annotation for the direction, else its allocatable, else its link speed. */
export function linkOf({ node, allocatable }: NodeInfo): Link {
  const before = links.get(node)
  if (before) return before
  const annotations = node.metadata.annotations ?? {}
  const one = (direction: Direction): number | undefined | null => {
    const own = annotations[nodeAnnotation(direction)]
    if (own !== undefined) return bits(own) ?? null
    const extended = allocatable.get(resourceOf(direction))
    if (extended > 0) return extended
    const speed = annotations[linkSpeedAnnotation]
    return speed === undefined ? undefined : bits(speed) ?? null
  }
  const link = { ingress: one('ingress'), egress: one('egress') }
  links.set(node, link)
  return link
}
