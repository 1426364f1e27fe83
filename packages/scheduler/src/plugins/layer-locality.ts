import type { CycleState } from '../framework/cycle-state.ts'
import type { NodeInfo } from '../framework/node-info.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { ImageState, Snapshot } from '../framework/snapshot.ts'
import { normalizedImageName } from './image-locality.ts'
import { layersOf } from './placement/image-layers.ts'

const mebibyte = 1024 * 1024
/** As of ImageLocality: less is quickly pulled anyway; more counts no more (a container). */
const minThreshold = 23 * mebibyte
const maxContainerThreshold = 1000 * mebibyte
const key = 'LayerLocality'

/** An image of the pod: what ImageLocality knows of it, and its layers with what each is worth, where some node tells. */
interface Wanted { readonly state: ImageState | undefined; readonly share: number; readonly layers: ReadonlyArray<readonly [digest: string, worth: number]> | undefined }

/** The layers of an image, from the first node that has it and tells. */
function layersOfImage(name: string, state: ImageState | undefined, snapshot: Snapshot): Array<readonly [string, number]> | undefined {
  for (const on of state?.nodes ?? []) {
    const node = snapshot.node(on)
    const told = node && layersOf(node.node)
    const digests = told?.images.get(name)
    if (told && digests) return [...new Set(digests)].map((digest) => [digest, told.layers.get(digest) ?? 0] as const)
  }
  return undefined
}

function imagesOf(pod: PodInfo, snapshot: Snapshot): Wanted[] {
  const total = snapshot.nodes.length
  return [...pod.pod.spec.initContainers ?? [], ...pod.pod.spec.containers].map(({ image }) => {
    const name = normalizedImageName(image ?? '')
    const state = snapshot.image(name)
    const layers = layersOfImage(name, state, snapshot)
    if (!layers) return { state, share: (state?.nodes.size ?? 0) / total, layers }
    // What many nodes have counts in full, what few have hardly: one node with everything must not attract everybody.
    const holders = layers.map(() => 0)
    for (const node of snapshot.nodes) {
      const told = layersOf(node.node)
      const whole = state?.nodes.has(node.name) ?? false
      for (const [i, [digest]] of layers.entries()) if (whole || told?.layers.has(digest)) holders[i] = (holders[i] ?? 0) + 1
    }
    return { state, share: (state?.nodes.size ?? 0) / total, layers: layers.map(([digest, bytes], i) => [digest, bytes * ((holders[i] ?? 0) / total)] as const) }
  })
}

function bytesOn(node: NodeInfo, images: readonly Wanted[]): number {
  const told = layersOf(node.node)
  const counted = new Set<string>()
  let sum = 0
  for (const { state, share, layers } of images) {
    const whole = state?.nodes.has(node.name) ?? false
    if (!layers) {
      if (whole && state) sum += Math.trunc(state.sizeBytes * share)
      continue
    }
    for (const [digest, worth] of layers) {
      // A layer that two of the pod's images share is pulled once.
      if (counted.has(digest) || !(whole || told?.layers.has(digest))) continue
      counted.add(digest)
      sum += Math.trunc(worth)
    }
  }
  return sum
}

/**
 * ImageLocality that knows layers: a node that has an image's base but not the image itself has less to pull than one
 * with neither. Where no node with the image tells its layers (annotation berth.dev/image-layers), it counts as a whole,
 * as ImageLocality counts it. Take it instead of ImageLocality, not beside it.
 */
export function layerLocality(): Plugin {
  const wanted = (state: CycleState): readonly Wanted[] => state.read<readonly Wanted[]>(key) ?? []
  return {
    name: 'LayerLocality',
    dependsOn: 'domain',
    preScore(state, pod, _nodes, snapshot) {
      state.write(key, imagesOf(pod, snapshot))
      return undefined
    },
    score(state, { pod }, node) {
      const max = maxContainerThreshold * (pod.spec.containers.length + (pod.spec.initContainers?.length ?? 0))
      const bounded = Math.min(Math.max(bytesOn(node, wanted(state)), minThreshold), max)
      return Math.trunc((maxNodeScore * (bounded - minThreshold)) / (max - minThreshold))
    },
  }
}
