import { core } from '@berth/api'
import type { KubeClient } from '@berth/kube'
import type { PodInfo } from '../framework/pod-info.ts'

/** Binds a pod to its node by its subresource binding, as kube-scheduler does; the uid makes sure that it is still the same pod. */
export async function bindPod(client: KubeClient, { pod, namespace }: Pick<PodInfo, 'pod' | 'namespace'>, node: string): Promise<void> {
  const { name, uid } = pod.metadata
  await client.createSubresource(core.pods, name, 'binding', {
    apiVersion: 'v1', kind: 'Binding',
    metadata: { name, namespace, ...(uid ? { uid } : {}) },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  }, { namespace })
}
