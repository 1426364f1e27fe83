import { core } from '@berth/api'
import type { PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import { isAlreadyExists, keyOf } from '@berth/kube'
import { claimNameOf, ephemeralClaimProblem } from '@berth/pod-rules'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import { controllerReference } from '../common/owners.ts'
import type { Controller } from '../context.ts'

/** The claim that stands for an ephemeral volume: the template's, named after pod and volume, gone with the pod. */
function ephemeralClaim(pod: Pod, volume: Volume): PersistentVolumeClaim {
  const template = volume.ephemeral?.volumeClaimTemplate
  const { labels, annotations } = template?.metadata ?? {}
  return {
    metadata: {
      name: claimNameOf(pod, volume) ?? '', namespace: pod.metadata.namespace ?? '', ownerReferences: [controllerReference(pod, core.pods)],
      ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}),
    },
    spec: template?.spec ?? {},
  }
}

/** Makes the claims of pods' ephemeral volumes. Their pods own them, so the garbage collector ends them. */
export const ephemeralVolumeController: Controller = {
  name: 'ephemeral-volume-controller',
  async run(context) {
    const { client } = context
    const pods = context.informers.for(core.pods)
    const claims = context.informers.for(core.persistentvolumeclaims)
    const recorder = context.recorder('ephemeral_volume')
    const makeClaim = async (pod: Pod, volume: Volume): Promise<void> => {
      const wanted = ephemeralClaim(pod, volume)
      const { name, namespace = '' } = wanted.metadata
      let found = claims.store.get(`${namespace}/${name}`)
      if (!found) {
        try {
          await client.create(core.persistentvolumeclaims, wanted)
          return
        } catch (error) {
          if (isNamespaceTerminating(error)) return
          if (!isAlreadyExists(error)) throw error
          found = await client.get(core.persistentvolumeclaims, name, { namespace })
        }
      }
      const problem = ephemeralClaimProblem(pod, found)
      if (problem !== undefined) throw new Error(problem)
    }
    const frame = keyedController({
      name: 'ephemeral_volume', workers: 5, context, informers: [pods, claims],
      async sync(key) {
        const pod = pods.store.get(key)
        if (!pod || pod.metadata.deletionTimestamp !== undefined) return
        for (const volume of pod.spec.volumes ?? []) {
          if (!volume.ephemeral) continue
          try {
            await makeClaim(pod, volume)
          } catch (error) {
            recorder.event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: ${error instanceof Error ? error.message : String(error)}`)
            throw error
          }
        }
      },
    })
    const add = (pod: Pod): void => {
      if (pod.metadata.deletionTimestamp === undefined && pod.spec.volumes?.some((volume) => volume.ephemeral)) frame.queue.add(keyOf(pod))
    }
    const off = [
      pods.on({ added: add }),
      // Somebody else's claim of that name went away: ours can be made.
      claims.on({
        deleted(claim) {
          const owner = claim.metadata.ownerReferences?.find((reference) => reference.controller && reference.kind === 'Pod')
          const pod = owner && pods.store.get(`${claim.metadata.namespace ?? ''}/${owner.name}`)
          if (pod) add(pod)
        },
      }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}
