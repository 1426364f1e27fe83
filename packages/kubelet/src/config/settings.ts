import type { Taint } from '@berth/api/types/core/v1'
import type { ChangeDetection } from '../objects/object-cache.ts'

/** What the kubelet works with: the configuration file and the flags, with defaults filled in and units fixed (milliseconds, bytes). */
export interface KubeletSettings {
  nodeName: string
  rootDir: string
  podLogsDir: string
  containerLogsDir: string
  /** No other kubelet writes into podLogsDir: what is of no pod of ours may be removed. */
  ownsPodLogs: boolean
  runtimeEndpoint: string
  imageEndpoint: string
  runtimeRequestTimeoutMs: number
  nodeIps: readonly string[]
  nodeLabels: Readonly<Record<string, string>>
  registerNode: boolean
  registerWithTaints: readonly Taint[]
  providerId: string
  clusterDns: readonly string[]
  clusterDomain: string
  resolvConf: string
  address: string
  port: number
  healthzAddress: string
  healthzPort: number
  cgroupRoot: string
  cgroupsPerQos: boolean
  /** Hold all pods together to what the node has for them. */
  enforcePods: boolean
  cfsQuota: boolean
  cfsPeriodMicros: number
  podPidsLimit: number
  maxPods: number
  podsPerCore: number
  kubeReserved: Readonly<Record<string, string>>
  systemReserved: Readonly<Record<string, string>>
  evictionHard: Readonly<Record<string, string>>
  evictionSoft: Readonly<Record<string, string>>
  /** Capacity to report instead of the machine's (several nodes may share one). */
  capacityOverride?: Readonly<Record<string, string>>
  syncFrequencyMs: number
  nodeStatusUpdateMs: number
  nodeStatusReportMs: number
  nodeLeaseSeconds: number
  nodeStatusMaxImages: number
  changeDetection: ChangeDetection
  maxParallelPulls: number
  allowedUnsafeSysctls: readonly string[]
  seccompDefault: boolean
  containerLogMaxBytes: number
  containerLogMaxFiles: number
  containerLogMonitorMs: number
  imageMinimumGcAgeMs: number
  imageMaximumGcAgeMs: number
  imageGcHighPercent: number
  imageGcLowPercent: number
  crashLoopMaxMs: number
  staticPodPath: string
  fileCheckMs: number
  anonymousAuth: boolean
  webhookAuthentication: boolean
  webhookAuthorization: boolean
  authenticationCacheMs: number
  authorizedCacheMs: number
  unauthorizedCacheMs: number
  clientCaFile: string
  tlsCertFile: string
  tlsPrivateKeyFile: string
  enableServer: boolean
  streamingIdleMs: number
  failCgroupV1: boolean
  failSwapOn: boolean
}
