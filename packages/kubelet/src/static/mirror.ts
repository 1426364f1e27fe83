import { core } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { isAlreadyExists, isNotFound, type KubeClient, type Logger } from '@berth/kube'
import { annotation } from './annotations.ts'

export const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.[annotation.mirror] !== undefined

/** Does the mirror in the API show this very static pod? */
const mirrors = (mirror: Pod, pod: Pod): boolean => mirror.metadata.annotations?.[annotation.mirror] === pod.metadata.annotations?.[annotation.hash] && !mirror.metadata.deletionTimestamp

/** Brings the API to show the static pod; gives the mirror. An outdated one is removed first. */
export async function ensureMirror(client: KubeClient, pod: Pod, known: Pod | undefined, node: Node, logger: Logger): Promise<void> {
  const { name, namespace = '' } = pod.metadata
  if (known && mirrors(known, pod)) return
  if (known) await removeMirror(client, known)
  const { uid: _, resourceVersion: __, ...metadata } = pod.metadata
  const mirror: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [annotation.mirror]: metadata.annotations?.[annotation.hash] ?? '' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.metadata.name, uid: node.metadata.uid ?? '', controller: true }],
    },
    spec: pod.spec,
  }
  try {
    await client.create(core.pods, mirror, { namespace })
    logger.v(2).info('Created mirror pod', { pod: `${namespace}/${name}` })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

/** Removes a mirror at once. */
export async function removeMirror(client: KubeClient, mirror: Pod): Promise<void> {
  const { name, namespace = '', uid } = mirror.metadata
  try {
    await client.delete(core.pods, name, { namespace, gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
