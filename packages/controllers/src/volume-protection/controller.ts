import { core, storage } from '@berth/api'
import type { PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { isNotFound, keyOf, splitKey } from '@berth/kube'
import { claimNameOf } from '@berth/pod-rules'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { podsByClaim } from '../pv-binder/controller.ts'
import { attributesClassFinalizer, classesOfClaim, classesOfVolume, claimFinalizer, podHoldsClaim, protectedFinalizers, volumeFinalizer } from './in-use.ts'

/** Keeps claims until no pod on a node uses them any more. */
export const claimProtection: Controller = {
  name: 'persistentvolumeclaim-protection-controller',
  async run(context) {
    const { client } = context
    const claims = context.informers.for(core.persistentvolumeclaims)
    const pods = context.informers.for(core.pods, { indexers: podsByClaim })
    /** Known pods first; before a claim goes, the API's own. */
    const inUse = async (claim: PersistentVolumeClaim): Promise<boolean> => {
      if (pods.store.byIndex('claim', keyOf(claim)).some((pod) => podHoldsClaim(pod, claim))) return true
      const { items } = await client.list(core.pods, { namespace: claim.metadata.namespace ?? '' })
      return items.some((pod) => podHoldsClaim(pod, claim))
    }
    const frame = keyedController({
      name: 'pvcprotection', workers: 1, context, informers: [claims, pods],
      async sync(key) {
        const claim = claims.store.get(key)
        if (!claim) return
        const going = claim.metadata.deletionTimestamp !== undefined && claim.metadata.finalizers?.includes(claimFinalizer) === true
        const held = going && await inUse(claim)
        const finalizers = protectedFinalizers(claim, claimFinalizer, () => held)
        if (finalizers) await client.update(core.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, finalizers } }).catch(ignore(isNotFound))
      },
    })
    const add = (claim: PersistentVolumeClaim): void => frame.queue.add(keyOf(claim))
    const addOf = (pod: Pod): void => {
      for (const volume of pod.spec.volumes ?? []) {
        const name = claimNameOf(pod, volume)
        if (name !== undefined) frame.queue.add(`${pod.metadata.namespace ?? ''}/${name}`)
      }
    }
    const off = [
      claims.on({ added: add, updated: (_old, claim) => add(claim) }),
      pods.on({
        deleted: addOf,
        updated(old, pod) {
          if (old.metadata.uid !== pod.metadata.uid) addOf(old)
        },
      }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}

/** Keeps volumes until they are bound no more. */
export const volumeProtection: Controller = {
  name: 'persistentvolume-protection-controller',
  async run(context) {
    const volumes = context.informers.for(core.persistentvolumes)
    const frame = keyedController({
      name: 'pvprotection', workers: 1, context, informers: [volumes],
      async sync(key) {
        const volume = volumes.store.get(splitKey(key).name)
        const finalizers = volume && protectedFinalizers(volume, volumeFinalizer, () => volume.status?.phase === 'Bound')
        if (finalizers) await context.client.update(core.persistentvolumes, { ...volume, metadata: { ...volume.metadata, finalizers } }).catch(ignore(isNotFound))
      },
    })
    const off = volumes.on({ added: (volume) => frame.queue.add(keyOf(volume)), updated: (_old, volume) => frame.queue.add(keyOf(volume)) })
    await frame.run()
    off()
  },
}

const classIndex = 'volumeAttributesClass'

/** Keeps attribute classes until no claim and no volume has them any more. */
export const attributesClassProtection: Controller = {
  name: 'volumeattributesclass-protection-controller',
  async run(context) {
    const classes = context.informers.for(storage.volumeattributesclasses)
    const claims = context.informers.for(core.persistentvolumeclaims, { indexers: { [classIndex]: classesOfClaim } })
    const volumes = context.informers.for(core.persistentvolumes, { indexers: { [classIndex]: classesOfVolume } })
    const frame = keyedController({
      name: 'vacprotection', workers: 1, context, informers: [classes, claims, volumes],
      async sync(key) {
        const found = classes.store.get(key)
        const inUse = (): boolean => volumes.store.byIndex(classIndex, key).length > 0 || claims.store.byIndex(classIndex, key).length > 0
        const finalizers = found && protectedFinalizers(found, attributesClassFinalizer, inUse)
        if (finalizers) await context.client.update(storage.volumeattributesclasses, { ...found, metadata: { ...found.metadata, finalizers } }).catch(ignore(isNotFound))
      },
    })
    const look = (names: readonly string[]): void => { for (const name of names) frame.queue.add(name) }
    const off = [
      classes.on({ added: ({ metadata }) => look([metadata.name]), updated: (_old, { metadata }) => look([metadata.name]) }),
      claims.on({ updated: (old) => look(classesOfClaim(old)), deleted: (claim) => look(classesOfClaim(claim)) }),
      volumes.on({ updated: (old) => look(classesOfVolume(old)), deleted: (volume) => look(classesOfVolume(volume)) }),
    ]
    await frame.run()
    for (const each of off) each()
  },
}
