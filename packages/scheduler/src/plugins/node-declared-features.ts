import type { Node, Pod } from '@berth/api/types/core/v1'
import type { EventObjects, Plugin } from '../framework/plugin.ts'
import { skip, unresolvable } from '../framework/status.ts'

/** Features of a node that pods can need to run, and which pods need them (upstream: component-helpers nodedeclaredfeatures). One line a feature. */
const features: Readonly<Record<string, (spec: Pod['spec']) => boolean>> = {
  RestartAllContainersOnContainerExits: (spec) => [...spec.containers, ...spec.initContainers ?? []]
    .some(({ restartPolicyRules = [] }) => restartPolicyRules.some(({ action }) => action === 'RestartAllContainers')),
  UserNamespacesHostNetworkSupport: (spec) => spec.hostNetwork === true && spec.hostUsers === false,
}

function neededBy({ spec }: Pod): readonly string[] {
  return Object.entries(features).filter(([, needs]) => needs(spec)).map(([name]) => name)
}

const stateKey = 'NodeDeclaredFeatures'

function changed({ old, now }: EventObjects): boolean {
  const declared = (node: unknown): string => ((node as Node | undefined)?.status?.declaredFeatures ?? []).join(' ')
  return old === undefined || declared(old) !== declared(now)
}

/** Keeps pods off nodes that do not declare the features the pod needs (node.status.declaredFeatures). */
export function nodeDeclaredFeatures(): Plugin {
  return {
    name: 'NodeDeclaredFeatures',
    dependsOn: 'node',
    sign: ({ pod }) => neededBy(pod).join(' '),
    events: () => [
      { event: 'NodeAdded' },
      { event: 'NodeDeclaredFeaturesChanged', helps: (_pod, change) => changed(change) },
      {
        event: 'UnscheduledPodUpdated',
        helps({ pod }, { old, now }) {
          const after = now as Pod | undefined
          return after?.metadata.uid === pod.metadata.uid && (old === undefined || neededBy(old as Pod).join(' ') !== neededBy(after ?? pod).join(' '))
        },
      },
    ],
    preFilter(state, { pod }) {
      const needed = neededBy(pod)
      if (needed.length === 0) return { status: skip }
      state.write(stateKey, needed)
      return undefined
    },
    filter(state, _pod, { node }) {
      const declared = new Set(node.status?.declaredFeatures)
      const needed = state.read<readonly string[]>(stateKey) ?? []
      return needed.every((feature) => declared.has(feature)) ? undefined : unresolvable("node(s) didn't match Pod's required features")
    },
  }
}
