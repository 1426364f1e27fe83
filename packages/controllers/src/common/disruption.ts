import { core } from '@berth/api'
import type { Pod, PodPhase } from '@berth/api/types/core/v1'
import { isNotFound, type KubeClient } from '@berth/kube'
import { ignore } from './adoption.ts'
import { wireTime } from './pods.ts'

/** Writes into a pod's status why a controller is about to delete it (the DisruptionTarget condition), and its last phase where it will have no other. */
export async function failPod(client: KubeClient, pod: Pod, why: { reason: string; message: string }, phase: PodPhase | undefined, now: number): Promise<void> {
  const conditions = (pod.status?.conditions ?? []).filter((condition) => condition.type !== 'DisruptionTarget')
  const known = pod.status?.conditions?.find((condition) => condition.type === 'DisruptionTarget')
  const lastTransitionTime = known?.status === 'True' ? known.lastTransitionTime : wireTime(now)
  const { generation } = pod.metadata
  conditions.push({ type: 'DisruptionTarget', status: 'True', ...why, lastTransitionTime, ...(generation === undefined ? {} : { observedGeneration: generation }) })
  const status = { ...pod.status, conditions, ...(phase === undefined ? {} : { phase }) }
  await client.update(core.pods, { ...pod, status }, { subresource: 'status' }).catch(ignore(isNotFound))
}
