import { mkdir, rm, chmod } from 'node:fs/promises'
import { core, storage } from '@berth/api'
import type { PersistentVolume, PersistentVolumeClaim } from '@berth/api/types/core/v1'
import { createEventRecorder, createInformers, createWorkQueue, isAlreadyExists, isNotFound, keyOf, runWorkers, type EventRecorder, type Informer, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { claimClass } from '@berth/pod-rules'
import { ignore } from '../common/adoption.ts'
import { directoryOf, isAsked, localPathProvisioner, planReclaim, planVolume, provisionerFinalizer, type LocalNode } from './plan.ts'

export interface LocalPathOptions {
  readonly client: KubeClient
  readonly nodeName: string
  /** Holds a directory for each volume of the node. */
  readonly directory: string
  readonly logger: Logger
}

type Key = `claim ${string}` | `volume ${string}`

/**
 * Makes volumes of a node's own directories, and removes them: the provisioner of the class `local-path`. It runs on the node, so that no pod has to
 * be sent there to make or remove a directory. A volume's size is not enforced.
 */
export async function startLocalPathProvisioner({ client, nodeName, directory, logger }: LocalPathOptions): Promise<RunningPart> {
  const ending = new AbortController()
  const { signal } = ending
  await mkdir(directory, { recursive: true, mode: 0o711 })
  const informers = createInformers(client, { logger })
  const claims = informers.for(core.persistentvolumeclaims)
  const volumes = informers.for(core.persistentvolumes)
  const recorder = createEventRecorder({ client, component: localPathProvisioner, host: nodeName, logger })
  const queue = createWorkQueue<Key>({ name: 'local-path' })
  const hostname = async (): Promise<LocalNode> => {
    const node = await client.get(core.nodes, nodeName)
    return { name: nodeName, directory, hostname: node.metadata.labels?.['kubernetes.io/hostname'] ?? nodeName }
  }
  const addClaim = (claim: PersistentVolumeClaim): void => {
    if (isAsked(claim, { name: nodeName, directory, hostname: '' })) queue.add(`claim ${keyOf(claim)}`)
  }
  const addVolume = (volume: PersistentVolume): void => {
    if (planReclaim(volume)) queue.add(`volume ${volume.metadata.name}`)
  }
  claims.on({ added: addClaim, updated: (_old, claim) => addClaim(claim) })
  volumes.on({ added: addVolume, updated: (_old, volume) => addVolume(volume) })
  informers.start(signal)
  const scope: Scope = { client, recorder, logger, claims, volumes, node: hostname }
  const working = (async () => {
    await Promise.all([claims.whenSynced(signal), volumes.whenSynced(signal)])
    await runWorkers(queue, 2, (key) => sync(scope, key), { logger, signal })
  })().catch((error: unknown) => {
    if (!signal.aborted) logger.error(error, 'The local-path provisioner failed')
  })
  return {
    name: 'local-path',
    async stop() {
      ending.abort()
      queue.shutDown()
      await working
      await recorder.flush()
    },
  }
}

interface Scope {
  readonly client: KubeClient
  readonly recorder: EventRecorder
  readonly logger: Logger
  readonly claims: Informer<PersistentVolumeClaim>
  readonly volumes: Informer<PersistentVolume>
  node(): Promise<LocalNode>
}

async function sync(scope: Scope, key: Key): Promise<void> {
  const name = key.slice(key.indexOf(' ') + 1)
  if (key.startsWith('claim ')) {
    const claim = scope.claims.store.get(name)
    if (claim) await provision(scope, claim)
  } else {
    const volume = scope.volumes.store.get(name)
    if (volume) await reclaim(scope, volume)
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function provision({ client, recorder, node, volumes }: Scope, claim: PersistentVolumeClaim): Promise<void> {
  const place = await node()
  if (!isAsked(claim, place) || volumes.store.get(`pvc-${claim.metadata.uid ?? ''}`)) return
  const subject = { ...claim, apiVersion: 'v1', kind: 'PersistentVolumeClaim' }
  const className = claimClass(claim)
  const failed = (why: string): void => recorder.event(subject, 'Warning', 'ProvisioningFailed', `failed to provision volume with StorageClass ${JSON.stringify(className)}: ${why}`)
  try {
    const storageClass = await client.get(storage.storageclasses, className)
    const plan = planVolume(claim, storageClass, place)
    // Trying again does not help before the claim changes, and then it is asked for anew.
    if ('refused' in plan) return failed(plan.refused)
    const { volume } = plan
    recorder.event(subject, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim ${JSON.stringify(keyOf(claim))}`)
    const at = volume.spec.local?.path ?? ''
    await mkdir(at, { recursive: true })
    // Any user of a container may write, as in an emptyDir; mkdir's mode is cut by the umask.
    await chmod(at, 0o777)
    await client.create(core.persistentvolumes, volume).catch(ignore(isAlreadyExists))
    recorder.event(subject, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume.metadata.name}`)
  } catch (error) {
    failed(textOf(error))
    throw error
  }
}

async function reclaim({ client, recorder, node, logger }: Scope, volume: PersistentVolume): Promise<void> {
  const place = await node()
  const at = directoryOf(volume, place)
  const step = planReclaim(volume)
  if (at === undefined || step === undefined) return
  const { name } = volume.metadata
  if (step === 'delete') {
    try {
      await rm(at, { recursive: true, force: true })
      logger.v(2).info('Removed the directory of a volume', { volume: name, directory: at })
      if (volume.metadata.deletionTimestamp === undefined) await client.delete(core.persistentvolumes, name, { preconditions: { uid: volume.metadata.uid ?? '' } })
    } catch (error) {
      if (isNotFound(error)) return
      recorder.event({ ...volume, apiVersion: 'v1', kind: 'PersistentVolume' }, 'Warning', 'VolumeFailedDelete', textOf(error))
      throw error
    }
  }
  // What is there now: others take their finalizers off meanwhile, and none may be put back.
  const now = await client.get(core.persistentvolumes, name).catch(ignore(isNotFound))
  const finalizers = now?.metadata.finalizers?.filter((each) => each !== provisionerFinalizer)
  if (!now || !finalizers || finalizers.length === now.metadata.finalizers?.length) return
  await client.patch(core.persistentvolumes, name, { type: 'merge', body: { metadata: { resourceVersion: now.metadata.resourceVersion, finalizers } } }).catch(ignore(isNotFound))
}
