import { core, storage } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { VolumeAttachment } from '@berth/api/types/storage/v1'
import { isAlreadyExists, isNotFound, keyOf } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { podsByClaim } from '../pv-binder/controller.ts'
import { planNode, wantedOn, type World } from './plan.ts'

/** How often every node is looked at again; milliseconds. */
const retryMs = 60_000

/** Attaches the CSI volumes that pods want on their nodes, and detaches them: by VolumeAttachments, which the drivers' attachers carry out. */
export const attachDetachController: Controller = {
  name: 'persistentvolume-attach-detach-controller',
  async run(context) {
    const { client, clock, logger } = context
    const pods = context.informers.for(core.pods, { indexers: { node: (pod) => [pod.spec.nodeName ?? ''], ...podsByClaim } })
    const nodes = context.informers.for(core.nodes)
    const claims = context.informers.for(core.persistentvolumeclaims)
    const volumes = context.informers.for(core.persistentvolumes)
    const drivers = context.informers.for(storage.csidrivers)
    const attachments = context.informers.for(storage.volumeattachments)
    const recorder = context.recorder('attachdetach-controller')
    const unwantedSince = new Map<string, number>()
    const world: World = {
      claim: (namespace, name) => claims.store.get(`${namespace}/${name}`),
      volume: (name) => volumes.store.get(name),
      driver: (name) => drivers.store.get(name),
      attachments: () => attachments.store.list(),
      podsOn: (node) => pods.store.byIndex('node', node),
    }
    const frame = keyedController({
      name: 'attachdetach', workers: 2, context, informers: [pods, nodes, claims, volumes, drivers, attachments],
      async sync(name, queue) {
        const node = nodes.store.get(name)
        const plan = planNode(name, node, world, unwantedSince, clock.now(), !context.settings.disableForceDetachOnTimeout)
        for (const { wanted, why } of plan.refused) for (const pod of wanted.pods) recorder.event(pod, 'Warning', 'FailedAttachVolume', why)
        // The node hears first that a volume goes: its kubelet mounts nothing that is not said to be attached.
        if (plan.attached) await client.patch(core.nodes, name, { type: 'strategic', body: { status: { volumesAttached: plan.attached } } }, { subresource: 'status' }).catch(ignore(isNotFound))
        for (const each of plan.detach) {
          logger.v(2).info('Detaching a volume', { volumeAttachment: each, node: name })
          await client.delete(storage.volumeattachments, each).catch(ignore(isNotFound))
          unwantedSince.delete(each)
        }
        for (const each of plan.attach) await client.create(storage.volumeattachments, each).catch(ignore(isAlreadyExists))
        if (plan.refused.length > 0) queue.addAfter(name, retryMs)
        if (plan.againMs !== undefined) queue.addAfter(name, plan.againMs)
      },
    })
    const { queue } = frame
    const addNodeOf = ({ spec }: Pod): void => {
      if (spec.nodeName) queue.add(spec.nodeName)
    }
    const addUsers = (claim: string): void => {
      for (const pod of pods.store.byIndex('claim', claim)) addNodeOf(pod)
    }
    const addClaim = (claim: PersistentVolumeClaim): void => addUsers(keyOf(claim))
    const addVolume = ({ spec: { claimRef } }: PersistentVolume): void => addUsers(`${claimRef?.namespace ?? ''}/${claimRef?.name ?? ''}`)
    const addAttachment = ({ spec }: VolumeAttachment): void => {
      queue.add(spec.nodeName)
      // Where it was wanted as well, it may be free now.
      const volume = volumes.store.get(spec.source.persistentVolumeName ?? '')
      if (volume) addVolume(volume)
    }
    const told = (old: VolumeAttachment | undefined, now: VolumeAttachment): void => {
      const { source, nodeName } = now.spec
      const volume = source.persistentVolumeName ?? ''
      const users = (): readonly Pod[] => wantedOn(nodeName, world).find((each) => each.volume.metadata.name === volume)?.pods ?? []
      if (now.status?.attached === true && old?.status?.attached !== true) for (const pod of users()) recorder.event(pod, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume ${JSON.stringify(volume)} `)
      const { attachError } = now.status ?? {}
      if (attachError && JSON.stringify(attachError) !== JSON.stringify(old?.status?.attachError)) for (const pod of users()) recorder.event(pod, 'Warning', 'FailedAttachVolume', `AttachVolume.Attach failed for volume ${JSON.stringify(volume)} : ${attachError.message ?? ''}`)
    }
    const off = [
      pods.on({ added: addNodeOf, updated: (_old, pod) => addNodeOf(pod), deleted: addNodeOf }),
      nodes.on({
        added: (node) => queue.add(node.metadata.name), deleted: (node) => queue.add(node.metadata.name),
        updated(old, node) {
          const read = ({ metadata, spec, status }: typeof node): string => JSON.stringify([metadata.annotations, spec?.taints, status?.volumesInUse, status?.volumesAttached, status?.conditions?.find(({ type }) => type === 'Ready')?.status])
          if (read(old) !== read(node)) queue.add(node.metadata.name)
        },
      }),
      claims.on({ added: addClaim, updated: (_old, claim) => addClaim(claim) }),
      volumes.on({ added: addVolume, updated: (_old, volume) => addVolume(volume) }),
      attachments.on({
        added: addAttachment, deleted: addAttachment,
        updated(old, now) {
          told(old, now)
          addAttachment(now)
        },
      }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}
