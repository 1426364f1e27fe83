import { core } from '@berth/api'
import type { KubeClient } from '@berth/kube'
import type { Plugin } from '../framework/plugin.ts'

/** Binds a pod to its node by the API's Binding; the uid makes sure that it is still the same pod. */
export function defaultBinder(client: Pick<KubeClient, 'create'> | undefined): Plugin {
  return {
    name: 'DefaultBinder',
    async bind({ pod, namespace }, node) {
      if (!client) throw new Error('this scheduler has no API server to bind with')
      const { name, uid } = pod.metadata
      await client.create(core.bindings, {
        apiVersion: 'v1', kind: 'Binding',
        metadata: { name, namespace, ...(uid ? { uid } : {}) },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      }, { namespace })
    },
  }
}
