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

/** Prefers nodes that have the pod's images: large ones count more, ones that many nodes have count in full. */
export function imageLocality(): Plugin {
  return {
    name: 'ImageLocality',
    dependsOn: 'node',
    // How large the known ones of its images are, and on how many nodes: which ones a node has is the node's own.
    sign({ pod }, snapshot) {
      const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
      let text = ''
      for (const { image = '' } of containers) {
        const name = normalizedImageName(image)
        const state = snapshot.image(name)
        if (state) text += `${name} ${state.sizeBytes} ${state.nodes.size} `
      }
      return text === '' ? '' : `${text}${snapshot.nodes.length} ${containers.length}`
    },
    preScore(state, _pod, _nodes, snapshot) {
      state.write(key, snapshot)
      return undefined
    },
    score(state, { pod }, { name }) {
      const snapshot = state.read<Snapshot>(key)
      if (!snapshot) return 0
      const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
      let sum = 0
      for (const container of containers) {
        const image = snapshot.image(normalizedImageName(container.image ?? ''))
        if (image?.nodes.has(name)) sum += Math.trunc(image.sizeBytes * (image.nodes.size / snapshot.nodes.length))
      }
      const max = maxContainerThreshold * containers.length
      const bounded = Math.min(Math.max(sum, minThreshold), max)
      return Math.trunc((maxNodeScore * (bounded - minThreshold)) / (max - minThreshold))
    },
  }
}
