import { nodesOf } from '../../src/framework/event-objects.ts'
import { defaultNormalize } from '../../src/framework/normalize.ts'
import type { Plugin } from '../../src/framework/plugin.ts'
import { unresolvable } from '../../src/framework/status.ts'

/** NodeGenerationArgs: the node label that says how new a machine is. */
export interface NodeGenerationArgs {
  readonly label?: string
}

/** Keeps pods off machines older than their label example.com/min-generation says, and prefers newer ones. */
export function nodeGeneration({ label = 'example.com/generation' }: NodeGenerationArgs = {}): Plugin {
  const generationOf = (labels: Readonly<Record<string, string>> | undefined): number => Number(labels?.[label] ?? 0)
  const wanted = (labels: Readonly<Record<string, string>> | undefined): number => Number(labels?.['example.com/min-generation'] ?? 0)
  return {
    name: 'NodeGeneration',
    dependsOn: 'node',
    // All that is read of the pod: pods that agree in it share their answers.
    sign: ({ pod }) => String(wanted(pod.metadata.labels)),
    // A refused pod is worth another try when a node comes, or changes its label, that is new enough for it.
    events: () => (['NodeAdded', 'NodeLabelsChanged'] as const).map((event) => ({
      event,
      helps: ({ pod }, objects) => generationOf(nodesOf(objects).now?.metadata.labels) >= wanted(pod.metadata.labels),
    })),
    filter(_state, { pod }, node) {
      return generationOf(node.labels) >= wanted(pod.metadata.labels) ? undefined : unresolvable('node(s) were of too old a generation')
    },
    score: (_state, _pod, node) => generationOf(node.labels),
    normalize: (_state, _pod, scores) => defaultNormalize(scores, false),
  }
}
