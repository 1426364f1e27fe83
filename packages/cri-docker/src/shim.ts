import { basename } from 'node:path'
import { CriError } from '@berth/cri'
import type { Logger } from '@berth/kube'
import type { Engine } from './engine/connect.ts'
import type { CgroupAbilities } from './containers/cgroup-files.ts'
import type { ImageUserReader } from './images/image-users.ts'
import type { KeyedLocks } from './locks.ts'
import type { LogKeeper } from './logs/keeper.ts'
import type { Runtimes } from './runtimes.ts'
import type { PodNetwork } from './sandbox/network.ts'
import type { PauseImage } from './sandbox/pause-image.ts'
import type { Store } from './state/store.ts'

/** What the RPCs work with. */
export interface Shim {
  engine: Engine
  store: Store
  network: PodNetwork
  pause: PauseImage
  logs: LogKeeper
  /** One key a sandbox or container: what changes it is done one after the other. */
  locks: KeyedLocks
  /** How long a pull may make no progress; milliseconds. */
  pullProgressMs: number
  /** What RuntimeClass handlers may name. */
  runtimes: Runtimes
  /** The users of images, read once each. */
  imageUsers: ImageUserReader
  /** What this machine's cgroups can do beyond Docker. */
  cgroups: CgroupAbilities
  clampOomScore(score: number): number
  /** The node's label: only what carries it is ours. */
  node: string
  /** Where sandboxes' files are. */
  rootDir: string
  /** What a pod with the node's network joins: `host`, or `container:<anchor>`. */
  hostNetwork: string
  /** The container that is the node's network; empty for the host's. */
  anchor: string
  /** Put before cgroup parents that do not have it yet; '' for nothing. */
  cgroupParentPrefix: string
  cgroupDriver: 'cgroupfs' | 'systemd'
  readProfile(path: string): Promise<string>
  logger: Logger
}

/**
 * The cgroup parent as the Engine is told. With the systemd driver that is a slice's name alone, which holds its place in the tree; kubelets give the whole path. Throws CriError for
 * what the driver cannot take.
 */
export function cgroupParentOf({ cgroupParentPrefix: prefix, cgroupDriver }: Pick<Shim, 'cgroupParentPrefix' | 'cgroupDriver'>, parent: string): string {
  if (cgroupDriver === 'systemd') {
    const slice = basename(parent)
    if (slice !== '' && !slice.endsWith('.slice')) throw new CriError('InvalidArgument', `linux.cgroup_parent: ${JSON.stringify(parent)} is no slice, which the systemd cgroup driver needs`)
    return slice
  }
  if (parent === '' || prefix === '' || parent === prefix || parent.startsWith(`${prefix}/`)) return parent === '' ? prefix : parent
  return `${prefix}${parent.startsWith('/') ? '' : '/'}${parent}`
}
