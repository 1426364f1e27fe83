import type { Plugin } from '../framework/plugin.ts'
import { scoreByRank } from './placement/ranks.ts'

/** SwarmRandomArgs: with a seed, the same pods draw the same nodes in every run. */
export interface SwarmRandomArgs {
  readonly seed?: number
}

/** A well mixed 32-bit number of a text and a seed (FNV-1a, finished as in MurmurHash3). */
function drawn(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Swarm's `random`: each pod draws a node, all with the same chance. It depends on the pod itself, so nothing of it is kept. */
export function swarmRandom(args: SwarmRandomArgs = {}): Plugin {
  const seed = args.seed ?? Math.trunc(Math.random() * 2 ** 32)
  return {
    name: 'SwarmRandom',
    // A pod made anew under its name draws anew, unless a seed asks for what can be repeated: uids cannot.
    score: (_state, { key, pod }, node) => drawn(`${args.seed === undefined ? pod.metadata.uid ?? key : key} ${node.name}`, seed),
    normalize: (_state, _pod, scores) => scoreByRank(scores),
  }
}
