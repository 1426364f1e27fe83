import { core, storage } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import { isNotFound, keyOf, splitKey, type Informer, type KubeClient, type WorkQueue } from '@berth/kube'
import { claimClass, claimNameOf, isClaimBound, volumeClass } from '@berth/pod-rules'
import { ignore } from '../common/adoption.ts'
import { keyedController, periodically } from '../common/keyed-controller.ts'
import { isPodTerminal } from '../common/pods.ts'
import type { Controller } from '../context.ts'
import { decideClaim, type World } from './decide-claim.ts'
import { decideVolume, reclaimFailure } from './decide-volume.ts'
import { Writer } from './write.ts'

/** How often every claim and volume is looked at again; milliseconds (upstream: --pvclaimbinder-sync-period). */
const resyncMs = 15_000

type Key = `claim ${string}` | `volume ${string}`

/** What the index of pods by claim is called; other controllers of claims use the same one. */
export const podsByClaim = { claim: (pod: Pod): string[] => (pod.spec.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? []).map((name) => `${pod.metadata.namespace ?? ''}/${name}`) }

interface Scope {
  readonly client: KubeClient
  readonly claims: Informer<PersistentVolumeClaim>
  readonly volumes: Informer<PersistentVolume>
  readonly world: World
  readonly writer: Writer
  readonly queue: WorkQueue<Key>
}

/** Binds claims to volumes, and follows both until they are gone. */
export const pvBinder: Controller = {
  name: 'persistentvolume-binder-controller',
  async run(context) {
    const claims = context.informers.for(core.persistentvolumeclaims)
    const volumes = context.informers.for(core.persistentvolumes)
    const classes = context.informers.for(storage.storageclasses)
    const pods = context.informers.for(core.pods, { indexers: podsByClaim })
    const writer = new Writer(context.client, context.recorder('persistentvolume-controller'))
    const world: World = {
      volume: (name) => volumes.store.get(name),
      volumes: () => volumes.store.list(),
      class: (name) => classes.store.get(name),
      classes: () => classes.store.list(),
      unscheduledPods: (claim) => pods.store.byIndex('claim', keyOf(claim)).filter((pod) => !isPodTerminal(pod) && !pod.spec.nodeName).map((pod) => pod.metadata.name),
    }
    // One worker: two claims never look for a volume at the same time.
    const frame = keyedController<Key>({
      name: 'persistentvolume', workers: 1, context, informers: [claims, volumes, classes, pods],
      sync: (key, queue) => sync({ client: context.client, claims, volumes, world, writer, queue }, key),
    })
    const { queue } = frame
    const addClaim = (claim: PersistentVolumeClaim): void => queue.add(`claim ${keyOf(claim)}`)
    const addVolume = (volume: PersistentVolume): void => {
      queue.add(`volume ${volume.metadata.name}`)
      // A volume that is free may be what somebody waits for.
      if (!volume.spec.claimRef) for (const claim of claims.store.list()) if (!isClaimBound(claim) && claimClass(claim) === volumeClass(volume)) addClaim(claim)
    }
    const addUnbound = (): void => {
      for (const claim of claims.store.list()) if (!isClaimBound(claim)) addClaim(claim)
    }
    const off = [
      claims.on({
        added: addClaim,
        updated: (_old, claim) => addClaim(claim),
        deleted(claim) {
          if (claim.spec.volumeName) queue.add(`volume ${claim.spec.volumeName}`)
        },
      }),
      volumes.on({
        added: addVolume,
        updated: (_old, volume) => addVolume(volume),
        deleted({ spec: { claimRef } }) {
          if (claimRef) queue.add(`claim ${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`)
        },
      }),
      classes.on({ added: addUnbound, updated: addUnbound }),
    ]
    const resync = periodically(context, 'resync', resyncMs, async () => {
      addUnbound()
      for (const volume of volumes.store.list()) queue.add(`volume ${volume.metadata.name}`)
    })
    await frame.run()
    for (const each of off) each()
    await resync
  },
}

async function sync(scope: Scope, key: Key): Promise<void> {
  const at = key.indexOf(' ')
  const name = key.slice(at + 1)
  if (key.startsWith('claim ')) {
    const claim = scope.claims.store.get(name)
    if (claim) await syncClaim(scope, claim)
  } else {
    const volume = scope.volumes.store.get(name)
    if (volume) await syncVolume(scope, volume)
  }
}

/** Whether the API has the volume of a bound claim although we have not seen it: claims and volumes reach us independently of each other. */
async function isOnlyUnseen({ client, world }: Scope, { spec: { volumeName = '' } }: PersistentVolumeClaim): Promise<boolean> {
  if (volumeName === '' || world.volume(volumeName)) return false
  return (await client.get(core.persistentvolumes, volumeName).catch(ignore(isNotFound))) !== undefined
}

async function syncClaim(scope: Scope, claim: PersistentVolumeClaim): Promise<void> {
  const { world, writer } = scope
  const step = decideClaim(claim, world)
  // The volume's own coming will bring us back.
  if (step.do === 'phase' && step.phase === 'Lost' && await isOnlyUnseen(scope, claim)) return
  switch (step.do) {
    case 'bind': return writer.bind(step.volume, claim)
    case 'phase': {
      const changes = claim.status?.phase !== step.phase
      const saved = await writer.claimStatus(claim, step.phase)
      if (step.note && (step.phase === 'Pending' || changes)) writer.note(saved, 'PersistentVolumeClaim', step.note)
      return
    }
    case 'assign-class': return writer.assignClass(claim, step.className)
    case 'provision': {
      const saved = await writer.askProvisioner(claim, step.provisioner)
      return writer.note(saved, 'PersistentVolumeClaim', step.note)
    }
    case 'note': return writer.note(claim, 'PersistentVolumeClaim', step.note)
    case 'fail': {
      writer.note(claim, 'PersistentVolumeClaim', step.note)
      throw new Error(step.error)
    }
  }
}

/** The claim that a volume refers to. Before it counts as gone the API is asked: our own view may be the older one. */
async function claimOf({ claims, client }: Scope, { spec: { claimRef }, status }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
  if (!claimRef?.uid) return undefined
  const key = `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}`
  const known = claims.store.get(key)
  if (known?.metadata.uid === claimRef.uid) return known
  if (status?.phase === 'Released' || status?.phase === 'Failed') return undefined
  const { namespace, name } = splitKey(key)
  try {
    const found = await client.get(core.persistentvolumeclaims, name, { namespace })
    return found.metadata.uid === claimRef.uid ? found : undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function syncVolume(scope: Scope, volume: PersistentVolume): Promise<void> {
  const { writer, queue } = scope
  const claim = await claimOf(scope, volume)
  const step = decideVolume(volume, claim)
  switch (step.do) {
    case 'phase': return void await writer.volumePhase(volume, step.phase)
    case 'unbind': return writer.unbind(volume)
    case 'sync-claim': {
      if (claim) queue.add(`claim ${keyOf(claim)}`)
      return
    }
    case 'mismatch': {
      writer.note(volume, 'PersistentVolume', step.onVolume)
      if (claim) writer.note(claim, 'PersistentVolumeClaim', step.onClaim)
      return
    }
    case 'reclaim': {
      const released = volume.status?.phase === 'Failed' ? volume : await writer.volumePhase(volume, 'Released')
      const failure = reclaimFailure(released)
      if (failure) await writer.volumePhase(released, 'Failed', failure)
    }
  }
}
