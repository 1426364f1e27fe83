import type { Node } from '@berth/api/types/core/v1'
import { normalizedImageName } from '../image-locality.ts'

/**
 * The annotation by which a node says which layers it has. JSON, kept short: `layers` lists each layer once as
 * `digest:bytes` (the digest's first 12 hexadecimal digits are enough), `images` gives for each name of an image the
 * numbers of its layers in that list, separated by commas.
 *
 *     berth.dev/image-layers: '{"layers":["4abcf2066143:3626897","9d5f6cc5b2a1:120000000"],"images":{"registry.example/app:1":"0,1"}}'
 */
export const imageLayersAnnotation = 'berth.dev/image-layers'

export interface NodeLayers {
  /** Digest → bytes, of every layer on the node. */
  readonly layers: ReadonlyMap<string, number>
  /** Image, by normalized name → its layers' digests. */
  readonly images: ReadonlyMap<string, readonly string[]>
}

const known = new WeakMap<Node, NodeLayers | undefined>()

/** What a node says of its layers; undefined where it says nothing, or nothing that can be read. */
export function layersOf(node: Node): NodeLayers | undefined {
  if (known.has(node)) return known.get(node)
  const text = node.metadata.annotations?.[imageLayersAnnotation]
  const found = text === undefined ? undefined : parse(text)
  known.set(node, found)
  return found
}

function parse(text: string): NodeLayers | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { layers: listed, images: named } = (value ?? {}) as { layers?: unknown; images?: unknown }
  if (!Array.isArray(listed) || typeof named !== 'object' || named === null) return undefined
  const digests: string[] = []
  const layers = new Map<string, number>()
  for (const entry of listed) {
    const [, digest, bytes] = /^([0-9a-f]{12,64}):(\d{1,15})$/.exec(String(entry)) ?? []
    if (digest === undefined || bytes === undefined) return undefined
    const short = digest.slice(0, 12)
    digests.push(short)
    layers.set(short, Number(bytes))
  }
  const images = new Map<string, readonly string[]>()
  for (const [name, numbers] of Object.entries(named)) {
    const own: string[] = []
    for (const number of String(numbers).split(',')) {
      const digest = /^\d+$/.test(number) ? digests[Number(number)] : undefined
      if (digest === undefined) return undefined
      own.push(digest)
    }
    images.set(normalizedImageName(name), own)
  }
  return { layers, images }
}
