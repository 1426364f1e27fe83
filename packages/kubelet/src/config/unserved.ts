import { stableJson } from '../pods/containers.ts'

/**
 * Fields of KubeletConfiguration that this kubelet has nothing for, and the values with which that makes no difference (upstream's defaults, and zero
 * values as kubeadm writes them). Any other value is refused: a promise that is not kept is worse than an error at start.
 */
const withoutEffect: Readonly<Record<string, readonly unknown[]>> = {
  containerLogMaxWorkers: [1],
  cpuManagerPolicyOptions: [{}],
  cpuManagerReconcilePeriod: ['0s', '10s'],
  enableContentionProfiling: [false],
  enableControllerAttachDetach: [true],
  enableDebugFlagsHandler: [true, false],
  enableDebuggingHandlers: [true],
  enableProfilingHandler: [true, false],
  enableSystemLogHandler: [true, false],
  enableSystemLogQuery: [false],
  eventBurst: [100],
  eventRecordQPS: [50],
  evictionMaxPodGracePeriod: [0],
  evictionMinimumReclaim: [{}],
  evictionPressureTransitionPeriod: ['0s', '5m0s', '5m'],
  evictionSoftGracePeriod: [{}],
  hairpinMode: ['promiscuous-bridge', 'hairpin-veth', 'none'],
  httpCheckFrequency: ['0s', '20s'],
  imagePullCredentialsVerificationPolicy: ['NeverVerify', 'NeverVerifyPreloadedImages'],
  iptablesDropBit: [15],
  iptablesMasqueradeBit: [14],
  kernelMemcgNotification: [false],
  kubeAPIBurst: [100],
  kubeAPIQPS: [50],
  kubeReservedCgroup: [''],
  kubeletCgroups: [''],
  localStorageCapacityIsolation: [true],
  logging: [{}],
  makeIPTablesUtilChains: [true, false],
  maxOpenFiles: [1_000_000],
  memoryReservationPolicy: ['None'],
  memorySwap: [{}, { swapBehavior: 'NoSwap' }],
  memoryThrottlingFactor: [0.9],
  mergeDefaultEvictionSettings: [false],
  oomScoreAdj: [-999],
  podCIDR: [''],
  preloadedImagesVerificationAllowlist: [[]],
  protectKernelDefaults: [false],
  qosReserved: [{}],
  registryBurst: [10],
  registryPullQPS: [5],
  reservedMemory: [[]],
  reservedSystemCPUs: [''],
  rotateCertificates: [false],
  showHiddenMetricsForVersion: [''],
  shutdownGracePeriod: ['0s'],
  shutdownGracePeriodByPodPriority: [[]],
  shutdownGracePeriodCriticalPods: ['0s'],
  singleProcessOOMKill: [true, false],
  staticPodURLHeader: [{}],
  systemCgroups: [''],
  systemReservedCgroup: [''],
  tlsCipherSuites: [[]],
  tlsCurvePreferences: [[]],
  tlsMinVersion: ['', 'VersionTLS12'],
  topologyManagerPolicyOptions: [{}],
  topologyManagerScope: ['container'],
  volumePluginDir: ['', '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/'],
  volumeStatsAggPeriod: ['0s', '1m0s', '1m'],
}

/** Fields with values that this kubelet cannot keep, as messages. */
export function unservedFields(config: object): string[] {
  return Object.entries(config).flatMap(([field, value]) => {
    const allowed = Object.hasOwn(withoutEffect, field) ? withoutEffect[field] : undefined
    if (!allowed || value === null || value === undefined || allowed.some((a) => stableJson(a) === stableJson(value))) return []
    return [`${field}: ${JSON.stringify(value)}: this kubelet does not serve the field; it takes ${allowed.map((a) => JSON.stringify(a)).join(' or ')}`]
  })
}
