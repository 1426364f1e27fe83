import type { Node, Pod, Service } from '@berth/api/types/core/v1'
import type { CriClient } from '@berth/cri'
import type { Clock, EventRecorder, KubeClient, Logger } from '@berth/kube'
import type { Cgroups } from '../cgroups/files.ts'
import type { KubeletSettings } from '../config/settings.ts'
import type { ImageManager } from '../images/manager.ts'
import type { KubeletMetrics } from '../metrics.ts'
import type { BoundVolumes } from '../objects/claims.ts'
import type { ObjectCache } from '../objects/object-cache.ts'
import type { TokenSource } from '../objects/tokens.ts'
import type { BackOff } from '../pods/back-off.ts'
import type { DnsConfig } from '../pods/dns.ts'
import type { ProbeManager } from '../probes/manager.ts'
import type { RuntimeReader } from '../runtime/read.ts'
import type { VolumeManager } from '../volumes/manager.ts'
import type { ConfigMap, Secret } from '@berth/api/types/core/v1'
import type { StatusManager } from './status-manager.ts'

/** Everything a pod's worker works with; made once by the kubelet. */
export interface WorkerContext {
  readonly settings: KubeletSettings
  readonly client: KubeClient
  readonly cri: CriClient
  readonly runtime: RuntimeReader
  /** `containerd`, `docker`: the scheme of container IDs. */
  readonly runtimeName: string
  readonly recorder: EventRecorder
  readonly logger: Logger
  readonly clock: Clock
  readonly metrics: KubeletMetrics
  readonly cgroups: Cgroups
  readonly volumes: VolumeManager
  readonly images: ImageManager
  readonly probes: ProbeManager
  readonly statuses: StatusManager
  readonly configMaps: ObjectCache<ConfigMap>
  readonly secrets: ObjectCache<Secret>
  readonly tokens: TokenSource
  readonly boundVolumes: BoundVolumes
  /** Delays of restarts, by container instance. */
  readonly restarts: BackOff
  readonly memoryCapacity: bigint
  hostIps(): readonly string[]
  node(): Node | undefined
  /** Services of all namespaces; waits for the first list. */
  services(): Promise<readonly Service[]>
  hostDns(): Promise<DnsConfig>
  /** Why pods with a network of their own cannot run now; undefined when they can. */
  networkProblem(): string | undefined
  /** The runtime can make mounts read-only with everything below them. */
  recursiveReadOnly(): boolean
  /** A pod that was looked at has come to its end and left nothing behind. */
  finished(pod: Pod): void
}
