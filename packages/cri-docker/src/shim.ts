import type { Logger } from '@berth/kube'
import type { Engine } from './engine/connect.ts'
import type { KeyedLocks } from './locks.ts'
import type { LogKeeper } from './logs/keeper.ts'
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
  readProfile(path: string): Promise<string>
  logger: Logger
}

/** The cgroup parent as the Engine is told. */
export function cgroupParentOf(shim: Pick<Shim, 'cgroupParentPrefix'>, parent: string): string {
  const { cgroupParentPrefix: prefix } = shim
  if (parent === '' || prefix === '' || parent === prefix || parent.startsWith(`${prefix}/`)) return parent === '' ? prefix : parent
  return `${prefix}${parent.startsWith('/') ? '' : '/'}${parent}`
}
