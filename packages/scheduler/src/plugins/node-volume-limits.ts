import { storage } from '@berth/api'
import type { PersistentVolumeClaim, Pod, Volume } from '@berth/api/types/core/v1'
import type { CSIDriver, CSINode, VolumeAttachment } from '@berth/api/types/storage/v1'
import { claimClass, claimNameOf, ephemeralClaimProblem } from '@berth/pod-rules'
import type { NodeInfo } from '../framework/node-info.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { Snapshot } from '../framework/snapshot.ts'
import { skip, unresolvable, unschedulable } from '../framework/status.ts'
import type { PluginContext } from './registry.ts'
import { migratedOn, migratedPlugin, migratedProvisioner, type MigratedPlugin } from './volume-binding/csi-migration.ts'
import { changeOf } from './volume-binding/hints.ts'
import { notFound, storageObjects, usesClaim, type StorageObjects } from './volume-binding/objects.ts'

const stateKey = 'NodeVolumeLimits'

/** What one cycle reads. */
interface State {
  readonly objects: StorageObjects
  readonly attachments: ReadonlyMap<string, readonly VolumeAttachment[]>
}

/** Whether a volume takes one of a driver's places: claims, ephemeral ones too, and inline volumes whose in-tree type a driver serves. */
const mayCount = (volume: Volume): boolean => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined || migratedPlugin(volume) !== undefined

/** Whether a type's volumes are its driver's on the node. All but Portworx's are so wherever there is a CSINode. */
function isDrivers(plugin: MigratedPlugin, csiNode: CSINode | undefined): boolean {
  return csiNode !== undefined && (plugin.plugin !== 'kubernetes.io/portworx-volume' || migratedOn(csiNode, plugin))
}

/** A volume's driver and its handle there; undefined for volumes that are no driver's. A claim without a volume counts for what its class would make. */
function driverOf(claim: PersistentVolumeClaim, csiNode: CSINode | undefined, objects: StorageObjects): { driver: string; handle: string } | undefined {
  const volume = objects.volume(claim.spec.volumeName ?? '')
  if (!volume) {
    const provisioner = objects.class(claimClass(claim))?.provisioner
    if (provisioner === undefined) return undefined
    const plugin = migratedProvisioner(provisioner)
    if (plugin && !isDrivers(plugin, csiNode)) return undefined
    // A space is in no real handle: what is not bound yet cannot be taken for another volume.
    return { driver: plugin?.driver ?? provisioner, handle: `unbound ${claim.metadata.namespace ?? ''}/${claim.metadata.name}` }
  }
  if (volume.spec.csi) return { driver: volume.spec.csi.driver, handle: volume.spec.csi.volumeHandle }
  const plugin = migratedPlugin(volume.spec)
  const handle = plugin?.handle(volume.spec, volume)
  return plugin && handle !== undefined && isDrivers(plugin, csiNode) ? { driver: plugin.driver, handle } : undefined
}

/** Adds a pod's volumes, by their name in the cluster, with their drivers. Gives what is wrong with a new pod's claims. */
function addVolumes(pod: Pod, isNew: boolean, csiNode: CSINode | undefined, objects: StorageObjects, into: Map<string, string>): string | undefined {
  const namespace = pod.metadata.namespace ?? 'default'
  for (const volume of pod.spec.volumes ?? []) {
    const name = claimNameOf(pod, volume)
    if (name === undefined) {
      const plugin = migratedPlugin(volume)
      const handle = plugin?.handle(volume)
      if (plugin && handle !== undefined && isDrivers(plugin, csiNode)) into.set(`${plugin.driver}/${handle}`, plugin.driver)
      continue
    }
    const claim = objects.claim(namespace, name)
    if (!claim) {
      if (isNew) return `looking up PVC ${namespace}/${name}: ${notFound.claim(name)}`
      continue
    }
    const problem = volume.ephemeral ? ephemeralClaimProblem(pod, claim) : undefined
    if (problem !== undefined) {
      if (isNew) return problem
      continue
    }
    const known = driverOf(claim, csiNode, objects)
    if (known && known.driver !== '' && known.handle !== '') into.set(`${known.driver}/${known.handle}`, known.driver)
  }
  return undefined
}

/** The volumes that are attached to a node, whether some pod uses them or not. */
function attachedVolumes(attachments: readonly VolumeAttachment[], objects: StorageObjects): Map<string, string> {
  const found = new Map<string, string>()
  for (const { spec: { attacher, source } } of attachments) {
    const volume = objects.volume(source.persistentVolumeName ?? '')
    if (!volume || attacher === '') continue
    const handle = volume.spec.csi?.volumeHandle ?? migratedPlugin(volume.spec)?.handle(volume.spec, volume)
    if (handle !== undefined) found.set(`${attacher}/${handle}`, attacher)
  }
  return found
}

function byNode(snapshot: Snapshot): Map<string, VolumeAttachment[]> {
  const found = new Map<string, VolumeAttachment[]>()
  for (const attachment of snapshot.objects(storage.volumeattachments).values()) {
    const list = found.get(attachment.spec.nodeName) ?? []
    list.push(attachment)
    found.set(attachment.spec.nodeName, list)
  }
  return found
}

function limitsOf(csiNode: CSINode | undefined): Map<string, number> {
  return new Map((csiNode?.spec.drivers ?? []).flatMap(({ name, allocatable }) => (allocatable?.count === undefined ? [] : [[name, allocatable.count] as const])))
}

function tally(drivers: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const driver of drivers) counts.set(driver, (counts.get(driver) ?? 0) + 1)
  return counts
}

/** Whether a driver has more places on the node for what the pod brings. A volume that is there already takes no place more. */
function hasPlaces(wanted: Map<string, string>, limits: ReadonlyMap<string, number>, node: NodeInfo, csiNode: CSINode | undefined, { objects, attachments }: State): boolean {
  const present = new Map<string, string>()
  for (const other of node.pods.values()) addVolumes(other.pod, false, csiNode, objects, present)
  for (const name of present.keys()) wanted.delete(name)
  for (const [name, driver] of attachedVolumes(attachments.get(node.name) ?? [], objects)) if (!present.has(name)) present.set(name, driver)
  const taken = tally(present.values())
  for (const [driver, count] of tally(wanted.values())) {
    const limit = limits.get(driver)
    if (limit !== undefined && (taken.get(driver) ?? 0) + count > limit) return false
  }
  return true
}

/** Keeps a node from getting more volumes of a CSI driver than the driver can attach there (CSINode, allocatable.count). */
export function nodeVolumeLimits({ gates }: Pick<PluginContext, 'gates'>): Plugin {
  const scaling = gates.enabled('VolumeLimitScaling')
  return {
    name: 'NodeVolumeLimits',
    sign: ({ pod }) => (pod.spec.volumes?.some(mayCount) ? undefined : ''),
    events: () => [
      { event: 'CSINodeAdded' },
      {
        event: 'CSINodeUpdated',
        helps(_pod, change) {
          const { old, now } = changeOf<CSINode>(change)
          const before = limitsOf(old)
          if (scaling && now?.spec.drivers.some(({ name }) => !old?.spec.drivers.some((driver) => driver.name === name))) return true
          return [...limitsOf(now)].some(([driver, count]) => count > (before.get(driver) ?? 0))
        },
      },
      {
        event: 'AssignedPodDeleted',
        helps(_pod, change) {
          const { old } = changeOf<Pod>(change)
          return !old || old.spec.volumes?.some(mayCount) === true
        },
      },
      {
        event: 'PersistentVolumeClaimAdded',
        helps({ pod }, change) {
          const { now } = changeOf<PersistentVolumeClaim>(change)
          return now !== undefined && usesClaim(pod, now)
        },
      },
      {
        event: 'VolumeAttachmentDeleted',
        helps({ pod }, change) {
          const attacher = changeOf<VolumeAttachment>(change).old?.spec.attacher
          return (pod.spec.volumes ?? []).some((volume) => volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined || migratedPlugin(volume)?.driver === attacher)
        },
      },
      ...(scaling ? [{ event: 'CSIDriverUpdated' as const, helps: (_pod: unknown, change: { now?: unknown }) => changeOf<CSIDriver>(change).now?.spec.preventPodSchedulingIfMissing !== true }] : []),
    ],
    preFilter(cycle, { pod }, snapshot) {
      if (!pod.spec.volumes?.some(mayCount)) return { status: skip }
      cycle.write(stateKey, { objects: storageObjects(snapshot), attachments: byNode(snapshot) } satisfies State)
      return undefined
    },
    filter(cycle, { pod }, node) {
      const state = cycle.read<State>(stateKey)
      if (!state) return undefined
      const csiNode = state.objects.csiNode(node.name)
      const wanted = new Map<string, string>()
      const problem = addVolumes(pod, true, csiNode, state.objects, wanted)
      if (problem !== undefined) return unresolvable(problem)
      if (scaling) {
        for (const driver of wanted.values()) {
          const required = state.objects.csiDriver(driver)?.spec.preventPodSchedulingIfMissing === true
          if (required && !csiNode?.spec.drivers.some(({ name }) => name === driver)) return unschedulable(`${driver} CSI driver is not installed on the node`)
        }
      }
      const limits = limitsOf(csiNode)
      if (wanted.size === 0 || limits.size === 0) return undefined
      return hasPlaces(wanted, limits, node, csiNode, state) ? undefined : unschedulable('node(s) exceed max volume count')
    },
  }
}
