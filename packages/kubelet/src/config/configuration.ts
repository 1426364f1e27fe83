import type { Taint } from '@berth/api/types/core/v1'
import { parseDuration, parseQuantity } from '@berth/kube'
import { ConfigError } from '../errors.ts'
import type { KubeletSettings } from './settings.ts'
import { unservedFields } from './unserved.ts'

/** KubeletConfiguration kubelet.config.k8s.io/v1beta1, as far as this kubelet reads it. Durations are Go's strings. */
export interface KubeletConfiguration {
  apiVersion?: string
  kind?: string
  address?: string
  allowedUnsafeSysctls?: string[]
  authentication?: {
    anonymous?: { enabled?: boolean }
    webhook?: { enabled?: boolean; cacheTTL?: string }
    x509?: { clientCAFile?: string }
  }
  authorization?: { mode?: string; webhook?: { cacheAuthorizedTTL?: string; cacheUnauthorizedTTL?: string } }
  cgroupDriver?: string
  cgroupRoot?: string
  cgroupsPerQOS?: boolean
  clusterDNS?: string[]
  clusterDomain?: string
  configMapAndSecretChangeDetectionStrategy?: string
  containerLogMaxFiles?: number
  containerLogMaxSize?: string
  containerLogMaxWorkers?: number
  containerLogMonitorInterval?: string
  containerRuntimeEndpoint?: string
  contentType?: string
  cpuCFSQuota?: boolean
  cpuCFSQuotaPeriod?: string
  cpuManagerPolicy?: string
  crashLoopBackOff?: { maxContainerRestartPeriod?: string }
  enableServer?: boolean
  enforceNodeAllocatable?: string[]
  evictionHard?: Record<string, string>
  evictionSoft?: Record<string, string>
  failCgroupV1?: boolean
  failSwapOn?: boolean
  featureGates?: Record<string, boolean>
  fileCheckFrequency?: string
  healthzBindAddress?: string
  healthzPort?: number
  imageGCHighThresholdPercent?: number
  imageGCLowThresholdPercent?: number
  imageMaximumGCAge?: string
  imageMinimumGCAge?: string
  imageServiceEndpoint?: string
  kubeReserved?: Record<string, string>
  maxParallelImagePulls?: number
  maxPods?: number
  memoryManagerPolicy?: string
  nodeLeaseDurationSeconds?: number
  nodeStatusMaxImages?: number
  nodeStatusReportFrequency?: string
  nodeStatusUpdateFrequency?: string
  podLogsDir?: string
  podPidsLimit?: number
  podsPerCore?: number
  port?: number
  providerID?: string
  readOnlyPort?: number
  registerNode?: boolean
  registerWithTaints?: Taint[]
  resolvConf?: string
  runOnce?: boolean
  runtimeRequestTimeout?: string
  seccompDefault?: boolean
  serializeImagePulls?: boolean
  serverTLSBootstrap?: boolean
  staticPodPath?: string
  staticPodURL?: string
  streamingConnectionIdleTimeout?: string
  syncFrequency?: string
  systemReserved?: Record<string, string>
  tlsCertFile?: string
  tlsPrivateKeyFile?: string
  topologyManagerPolicy?: string
}

/** What comes from flags, or from who composes the kubelet, beside the configuration. */
export interface SettingsSource {
  nodeName: string
  config: KubeletConfiguration
  rootDir: string
  runtimeEndpoint?: string
  nodeIps?: readonly string[]
  nodeLabels?: Readonly<Record<string, string>>
  registerNode?: boolean
  registerWithTaints?: readonly Taint[]
  staticPodPath?: string
  capacity?: Readonly<Record<string, string>>
  podLogsDir?: string
  containerLogsDir?: string
}

const duration = (text: string | undefined, fallbackMs: number): number => (text === undefined || parseDuration(text) === 0 ? fallbackMs : parseDuration(text))

/** The configuration with upstream's defaults. Throws a ConfigError that names the field where something is asked for that is not served. */
export function resolveSettings(source: SettingsSource): KubeletSettings {
  const c = source.config
  refuse(c)
  const port = c.port ?? 10_250
  const podLogsDir = source.podLogsDir ?? c.podLogsDir ?? '/var/log/pods'
  const updateMs = duration(c.nodeStatusUpdateFrequency, 10_000)
  return {
    nodeName: source.nodeName,
    rootDir: source.rootDir,
    podLogsDir,
    containerLogsDir: source.containerLogsDir ?? '/var/log/containers',
    ownsPodLogs: true,
    runtimeEndpoint: source.runtimeEndpoint ?? c.containerRuntimeEndpoint ?? 'unix:///run/containerd/containerd.sock',
    imageEndpoint: c.imageServiceEndpoint ?? '',
    runtimeRequestTimeoutMs: duration(c.runtimeRequestTimeout, 120_000),
    nodeIps: source.nodeIps ?? [],
    nodeLabels: source.nodeLabels ?? {},
    registerNode: source.registerNode ?? c.registerNode ?? true,
    registerWithTaints: source.registerWithTaints ?? c.registerWithTaints ?? [],
    providerId: c.providerID ?? '',
    clusterDns: c.clusterDNS ?? [],
    clusterDomain: c.clusterDomain ?? '',
    resolvConf: c.resolvConf ?? '/etc/resolv.conf',
    address: c.address ?? '0.0.0.0',
    port,
    healthzAddress: c.healthzBindAddress ?? '127.0.0.1',
    healthzPort: c.healthzPort ?? 10_248,
    cgroupRoot: c.cgroupRoot || '/',
    cgroupsPerQos: c.cgroupsPerQOS ?? true,
    enforcePods: (c.enforceNodeAllocatable ?? ['pods']).includes('pods'),
    cfsQuota: c.cpuCFSQuota ?? true,
    cfsPeriodMicros: duration(c.cpuCFSQuotaPeriod, 100) * 1000,
    podPidsLimit: c.podPidsLimit ?? -1,
    maxPods: c.maxPods ?? 110,
    podsPerCore: c.podsPerCore ?? 0,
    kubeReserved: c.kubeReserved ?? {},
    systemReserved: c.systemReserved ?? {},
    evictionHard: c.evictionHard ?? { 'memory.available': '100Mi', 'nodefs.available': '10%', 'nodefs.inodesFree': '5%', 'imagefs.available': '15%', 'imagefs.inodesFree': '5%' },
    evictionSoft: c.evictionSoft ?? {},
    ...(source.capacity ? { capacityOverride: source.capacity } : {}),
    syncFrequencyMs: duration(c.syncFrequency, 60_000),
    nodeStatusUpdateMs: updateMs,
    nodeStatusReportMs: duration(c.nodeStatusReportFrequency, c.nodeStatusUpdateFrequency ? updateMs : 300_000),
    nodeLeaseSeconds: c.nodeLeaseDurationSeconds || 40,
    nodeStatusMaxImages: c.nodeStatusMaxImages ?? 50,
    changeDetection: (c.configMapAndSecretChangeDetectionStrategy ?? 'Watch') as KubeletSettings['changeDetection'],
    maxParallelPulls: (c.serializeImagePulls ?? true) ? 1 : (c.maxParallelImagePulls ?? 0),
    allowedUnsafeSysctls: c.allowedUnsafeSysctls ?? [],
    seccompDefault: c.seccompDefault ?? false,
    containerLogMaxBytes: Number(parseQuantity(c.containerLogMaxSize ?? '10Mi').value()),
    containerLogMaxFiles: c.containerLogMaxFiles ?? 5,
    containerLogMonitorMs: duration(c.containerLogMonitorInterval, 10_000),
    imageMinimumGcAgeMs: duration(c.imageMinimumGCAge, 120_000),
    imageMaximumGcAgeMs: duration(c.imageMaximumGCAge, 0),
    imageGcHighPercent: c.imageGCHighThresholdPercent ?? 85,
    imageGcLowPercent: c.imageGCLowThresholdPercent ?? 80,
    crashLoopMaxMs: duration(c.crashLoopBackOff?.maxContainerRestartPeriod, 300_000),
    staticPodPath: source.staticPodPath ?? c.staticPodPath ?? '',
    fileCheckMs: duration(c.fileCheckFrequency, 20_000),
    anonymousAuth: c.authentication?.anonymous?.enabled ?? false,
    webhookAuthentication: c.authentication?.webhook?.enabled ?? true,
    webhookAuthorization: (c.authorization?.mode ?? 'Webhook') === 'Webhook',
    authenticationCacheMs: duration(c.authentication?.webhook?.cacheTTL, 120_000),
    authorizedCacheMs: duration(c.authorization?.webhook?.cacheAuthorizedTTL, 300_000),
    unauthorizedCacheMs: duration(c.authorization?.webhook?.cacheUnauthorizedTTL, 30_000),
    clientCaFile: c.authentication?.x509?.clientCAFile ?? '',
    tlsCertFile: c.tlsCertFile ?? '',
    tlsPrivateKeyFile: c.tlsPrivateKeyFile ?? '',
    enableServer: c.enableServer ?? true,
    streamingIdleMs: duration(c.streamingConnectionIdleTimeout, 4 * 3600 * 1000),
    failCgroupV1: c.failCgroupV1 ?? true,
    failSwapOn: c.failSwapOn ?? true,
  }
}

/** Values that mean something this kubelet does not do: better an error at start than a promise not kept. */
function refuse(c: KubeletConfiguration): void {
  const no = (field: string, value: unknown, why: string): never => {
    throw new ConfigError(`invalid configuration: ${field}: ${JSON.stringify(value)}: ${why}`)
  }
  const unserved = unservedFields(c)
  if (unserved.length > 0) throw new ConfigError(`invalid configuration: ${unserved.join('; ')}`)
  if (c.cgroupDriver && c.cgroupDriver !== 'cgroupfs') no('cgroupDriver', c.cgroupDriver, 'this kubelet serves cgroupfs only')
  if (c.cpuManagerPolicy && c.cpuManagerPolicy !== 'none') no('cpuManagerPolicy', c.cpuManagerPolicy, 'this kubelet serves none only')
  if (c.memoryManagerPolicy && c.memoryManagerPolicy !== 'None') no('memoryManagerPolicy', c.memoryManagerPolicy, 'this kubelet serves None only')
  if (c.topologyManagerPolicy && c.topologyManagerPolicy !== 'none') no('topologyManagerPolicy', c.topologyManagerPolicy, 'this kubelet serves none only')
  if (c.readOnlyPort) no('readOnlyPort', c.readOnlyPort, 'the unauthenticated port is not served')
  if (c.staticPodURL) no('staticPodURL', c.staticPodURL, 'manifests from a URL are not served')
  if (c.runOnce) no('runOnce', c.runOnce, 'running once is not served')
  if (c.serverTLSBootstrap) no('serverTLSBootstrap', c.serverTLSBootstrap, 'requesting the serving certificate from the API server is not served; give tlsCertFile and tlsPrivateKeyFile')
  if (c.imageServiceEndpoint && c.imageServiceEndpoint !== c.containerRuntimeEndpoint) no('imageServiceEndpoint', c.imageServiceEndpoint, 'an image service apart from the runtime is not served')
  if (c.contentType && c.contentType !== 'application/json') no('contentType', c.contentType, 'this kubelet speaks application/json')
  if (c.serializeImagePulls !== false && (c.maxParallelImagePulls ?? 1) > 1) no('maxParallelImagePulls', c.maxParallelImagePulls, 'must be 1 while serializeImagePulls is true')
  if (Object.keys(c.evictionSoft ?? {}).length > 0) no('evictionSoft', c.evictionSoft, 'this kubelet reports pressure but does not evict; soft thresholds are not served')
  const beyond = (c.enforceNodeAllocatable ?? []).filter((e) => e !== 'pods' && e !== 'none' && e !== '')
  if (beyond.length > 0) no('enforceNodeAllocatable', c.enforceNodeAllocatable, 'this kubelet enforces "pods" only')
  const mode = c.authorization?.mode
  if (mode && mode !== 'Webhook' && mode !== 'AlwaysAllow') no('authorization.mode', mode, 'supported values: "AlwaysAllow", "Webhook"')
  const strategy = c.configMapAndSecretChangeDetectionStrategy
  if (strategy && !['Watch', 'Cache', 'Get'].includes(strategy)) no('configMapAndSecretChangeDetectionStrategy', strategy, 'supported values: "Get", "Cache", "Watch"')
  if (c.maxPods !== undefined && c.maxPods < 0) no('maxPods', c.maxPods, 'must not be negative')
  if (c.podsPerCore !== undefined && c.podsPerCore < 0) no('podsPerCore', c.podsPerCore, 'must not be negative')
  if ((c.imageGCLowThresholdPercent ?? 80) >= (c.imageGCHighThresholdPercent ?? 85)) no('imageGCLowThresholdPercent', c.imageGCLowThresholdPercent ?? 80, 'must be less than imageGCHighThresholdPercent')
}
