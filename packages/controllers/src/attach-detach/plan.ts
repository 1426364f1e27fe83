import { createHash } from 'node:crypto'
import type { AttachedVolume, Node, PersistentVolume, PersistentVolumeClaim, Pod } from '@berth/api/types/core/v1'
import type { CSIDriver, VolumeAttachment } from '@berth/api/types/storage/v1'
import { claimNameOf, ephemeralClaimProblem, isClaimBound } from '@berth/pod-rules'
import { isPodTerminal } from '../common/pods.ts'

/** How long a node that is not ready may say that it uses a volume that no pod of it wants, until that is taken away all the same; milliseconds. */
const forceDetachMs = 6 * 60_000
const managedAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach'

/** What is known of the cluster. */
export interface World {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  driver(name: string): CSIDriver | undefined
  /** All attachments, of all nodes. */
  attachments(): readonly VolumeAttachment[]
  /** The pods of a node. */
  podsOn(node: string): readonly Pod[]
}

/** A volume that pods of a node want there. */
interface Wanted {
  readonly volume: PersistentVolume
  readonly driver: string
  readonly handle: string
  readonly pods: readonly Pod[]
}

/** The name of a volume in a node's status. */
export function uniqueVolumeName(driver: string, handle: string): string {
  return `kubernetes.io/csi/${driver}^${handle}`
}

/** The name of the attachment of a volume to a node, as the CSI volume plugin makes it. */
export function attachmentName(driver: string, handle: string, node: string): string {
  return `csi-${createHash('sha256').update(`${handle}${driver}${node}`).digest('hex')}`
}

/** The volumes that a node's pods want attached: bound claims of drivers that attach. A pod that is over wants nothing. */
export function wantedOn(node: string, world: World): Wanted[] {
  const wanted = new Map<string, Wanted & { pods: Pod[] }>()
  for (const pod of world.podsOn(node)) {
    if (isPodTerminal(pod)) continue
    for (const volume of pod.spec.volumes ?? []) {
      const name = claimNameOf(pod, volume)
      const claim = name === undefined ? undefined : world.claim(pod.metadata.namespace ?? '', name)
      if (!claim || !isClaimBound(claim) || (volume.ephemeral && ephemeralClaimProblem(pod, claim) !== undefined)) continue
      const persistent = world.volume(claim.spec.volumeName ?? '')
      const csi = persistent?.spec.csi
      if (!persistent || !csi || persistent.spec.claimRef?.uid !== claim.metadata.uid || world.driver(csi.driver)?.spec.attachRequired === false) continue
      const key = uniqueVolumeName(csi.driver, csi.volumeHandle)
      const known = wanted.get(key)
      if (known) known.pods.push(pod)
      else wanted.set(key, { volume: persistent, driver: csi.driver, handle: csi.volumeHandle, pods: [pod] })
    }
  }
  return [...wanted.values()]
}

/** Whether a volume can be on several nodes at once. */
function isShared({ spec }: PersistentVolume): boolean {
  const modes = spec.accessModes ?? []
  return modes.length === 0 || modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')
}

/** Why a volume cannot be attached while it is on another node; undefined where it can. */
function multiAttachProblem({ volume, driver, handle, pods }: Wanted, node: string, world: World): string | undefined {
  if (isShared(volume)) return undefined
  const elsewhere = world.attachments().filter(({ metadata, spec }) => spec.nodeName !== node && metadata.name === attachmentName(driver, handle, spec.nodeName))
  if (elsewhere.length === 0) return undefined
  const users = elsewhere.flatMap(({ spec }) => wantedOn(spec.nodeName, world).find((each) => each.volume.metadata.name === volume.metadata.name)?.pods ?? [])
  const head = `Multi-Attach error for volume ${JSON.stringify(volume.metadata.name)} Volume is already`
  if (users.length === 0) return `${head} exclusively attached to one node and can't be attached to another`
  const namespace = pods[0]?.metadata.namespace
  const near = users.filter((pod) => pod.metadata.namespace === namespace).map((pod) => pod.metadata.name)
  const far = users.length - near.length
  if (near.length === 0) return `${head} used by ${far} pod(s) in different namespaces`
  return `${head} used by pod(s) ${near.join(', ')}${far > 0 ? ` and ${far} pod(s) in different namespaces` : ''}`
}

const isReady = ({ status }: Node): boolean => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
const isOutOfService = (node: Node | undefined): boolean => node?.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') === true

/** What is to be done for one node. */
interface NodePlan {
  readonly attach: readonly VolumeAttachment[]
  /** Wanted, and not possible now. */
  readonly refused: ReadonlyArray<{ readonly wanted: Wanted; readonly why: string }>
  /** The names of attachments that go. */
  readonly detach: readonly string[]
  /** What the node's status says is attached; undefined where it says so already. */
  readonly attached?: readonly AttachedVolume[]
  /** When to look again for volumes that the node still uses; milliseconds. */
  readonly againMs?: number
}

/** Whether an attachment is one that this controller made (or would have). */
function isOurs({ metadata, spec }: VolumeAttachment, world: World): { volume: PersistentVolume; unique: string } | undefined {
  const volume = world.volume(spec.source.persistentVolumeName ?? '')
  const csi = volume?.spec.csi
  if (!volume || !csi || metadata.name !== attachmentName(csi.driver, csi.volumeHandle, spec.nodeName)) return undefined
  return { volume, unique: uniqueVolumeName(csi.driver, csi.volumeHandle) }
}

/**
 * Plans for a node: attaches what its pods want and detaches what they do not, once the kubelet does not use it any more (volumesInUse). What is still mounted is
 * taken from a node that is said to be out of service, and, with `forces`, after six minutes from one that is not ready: never from a healthy one, which may write to it.
 * `since` remembers from when on each attachment was not wanted. A node that is gone wants nothing and uses nothing.
 */
export function planNode(name: string, node: Node | undefined, world: World, since: Map<string, number>, now: number, forces = true): NodePlan {
  if (node && node.metadata.annotations?.[managedAnnotation] !== 'true') return { attach: [], refused: [], detach: [] }
  const wanted = node ? wantedOn(name, world) : []
  const names = new Set(wanted.map(({ driver, handle }) => attachmentName(driver, handle, name)))
  const present = world.attachments().filter(({ spec }) => spec.nodeName === name)
  const attach: VolumeAttachment[] = []
  const refused: Array<{ wanted: Wanted; why: string }> = []
  for (const each of wanted) {
    const attachment = attachmentName(each.driver, each.handle, name)
    if (present.some(({ metadata }) => metadata.name === attachment)) continue
    const why = multiAttachProblem(each, name, world)
    if (why === undefined) attach.push({ metadata: { name: attachment }, spec: { attacher: each.driver, nodeName: name, source: { persistentVolumeName: each.volume.metadata.name } } })
    else refused.push({ wanted: each, why })
  }
  const detach: string[] = []
  const attached: AttachedVolume[] = []
  let againMs: number | undefined
  for (const attachment of present) {
    const ours = isOurs(attachment, world)
    if (!ours) continue
    const { name: id, deletionTimestamp } = attachment.metadata
    if (names.has(id)) {
      since.delete(id)
      if (attachment.status?.attached === true && deletionTimestamp === undefined) attached.push({ name: ours.unique, devicePath: '' })
      continue
    }
    if (deletionTimestamp !== undefined) continue
    const from = since.get(id) ?? now
    since.set(id, from)
    const inUse = node?.status?.volumesInUse?.includes(ours.unique) === true
    const mayForce = forces && node !== undefined && !isReady(node)
    if (!inUse || isOutOfService(node) || (mayForce && now - from >= forceDetachMs)) {
      detach.push(id)
      continue
    }
    if (attachment.status?.attached === true) attached.push({ name: ours.unique, devicePath: '' })
    if (mayForce) againMs = Math.min(againMs ?? Infinity, forceDetachMs - (now - from))
  }
  attached.sort((a, b) => (a.name < b.name ? -1 : 1))
  const before = (node?.status?.volumesAttached ?? []).map((each) => each.name).sort()
  const says = !node || JSON.stringify(before) === JSON.stringify(attached.map((each) => each.name))
  return { attach, refused, detach, ...(says ? {} : { attached }), ...(againMs === undefined ? {} : { againMs }) }
}
