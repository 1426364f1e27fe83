import type { Pod } from '@berth/api/types/core/v1'
import type { Plugin } from '../framework/plugin.ts'
import { maxNodeScore } from '../framework/normalize.ts'
import type { Snapshot } from '../framework/snapshot.ts'

const mebibyte = 1024 * 1024
/** Less than this is quickly pulled anyway; more than this counts no more (a container). */
const minThreshold = 23 * mebibyte
const maxContainerThreshold = 1000 * mebibyte
const key = 'ImageLocality'

/** An image's name with the tag that is meant where none is written. */
export function normalizedImageName(name: string): string {
  return name.lastIndexOf(':') <= name.lastIndexOf('/') ? `${name}:latest` : name
}

/** The images that a pod runs or mounts, each as often as it does. */
function imagesOf({ spec }: Pod): string[] {
  const run = [...(spec.initContainers ?? []), ...spec.containers].map(({ image = '' }) => image)
  const mounted = (spec.volumes ?? []).flatMap(({ image }) => image?.reference ?? [])
  return [...run, ...mounted].map(normalizedImageName)
}

function containerCount({ spec }: Pod): number {
  return (spec.initContainers?.length ?? 0) + spec.containers.length
}

/** Prefers nodes that have the pod's images: large ones count more, ones that many nodes have count in full. */
export function imageLocality(): Plugin {
  return {
    name: 'ImageLocality',
    dependsOn: 'node',
    // How large the known ones of its images are, and on how many nodes: which ones a node has is the node's own.
    sign({ pod }, snapshot) {
      let text = ''
      for (const name of imagesOf(pod)) {
        const state = snapshot.image(name)
        if (state) text += `${name} ${state.sizeBytes} ${state.nodes.size} `
      }
      return text === '' ? '' : `${text}${snapshot.nodes.length} ${containerCount(pod)}`
    },
    preScore(state, _pod, _nodes, snapshot) {
      state.write(key, snapshot)
      return undefined
    },
    score(state, { pod }, { name }) {
      const snapshot = state.read<Snapshot>(key)
      if (!snapshot) return 0
      let sum = 0
      for (const wanted of imagesOf(pod)) {
        const image = snapshot.image(wanted)
        if (image?.nodes.has(name)) sum += Math.trunc(image.sizeBytes * (image.nodes.size / snapshot.nodes.length))
      }
      const max = maxContainerThreshold * containerCount(pod)
      const bounded = Math.min(Math.max(sum, minThreshold), max)
      return Math.trunc((maxNodeScore * (bounded - minThreshold)) / (max - minThreshold))
    },
  }
}
