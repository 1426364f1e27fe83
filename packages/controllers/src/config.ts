import { controllerFeatures, type ControllerFeatures } from './features.ts'

/** What kube-controller-manager's flags set, with upstream's defaults. Durations are in milliseconds. */
export interface ControllerSettings {
  /** Names as `--controllers` takes them: `*`, `name`, `-name`. */
  controllers: readonly string[]
  /** Ranges that nodes' podCIDRs are cut from (one, or one of each family); empty: none are allocated. */
  clusterCidrs: readonly string[]
  nodeCidrMaskSizeIpv4: number
  nodeCidrMaskSizeIpv6: number
  /** PEM that `kube-root-ca.crt` publishes; empty: not published. */
  rootCa: string
  /** Signs the tokens in Secrets (PEM); empty: none are made. */
  serviceAccountPrivateKey: string
  /** Signs approved certificate requests (PEM); absent: none are signed. */
  signingCa?: { readonly certificate: string; readonly key: string }
  /** The longest that a signed certificate lasts. */
  signingDurationSeconds: number
  concurrentDeploymentSyncs: number
  concurrentReplicaSetSyncs: number
  concurrentEndpointSliceSyncs: number
  concurrentNamespaceSyncs: number
  concurrentServiceAccountSyncs: number
  concurrentGcSyncs: number
  maxEndpointsPerSlice: number
  mirroringMaxEndpointsPerSubset: number
  nodeMonitorPeriod: number
  nodeMonitorGracePeriod: number
  nodeStartupGracePeriod: number
  /** Nodes a second that may be given up in a zone, and in one of which most are down. */
  nodeEvictionRate: number
  secondaryNodeEvictionRate: number
  /** A zone of more nodes than this goes on at the secondary rate when most of it is down; a smaller one stops. */
  largeClusterSizeThreshold: number
  /** The share of nodes not ready from which on a zone counts as partly down. */
  unhealthyZoneThreshold: number
  /** Volumes that are still mounted stay attached to nodes that are not ready. */
  disableForceDetachOnTimeout: boolean
  terminatedPodGcThreshold: number
  horizontalPodAutoscalerSyncPeriod: number
  horizontalPodAutoscalerDownscaleStabilization: number
  /** How far the ratio of usage to target may be from one before anything is done. */
  horizontalPodAutoscalerTolerance: number
  horizontalPodAutoscalerCpuInitializationPeriod: number
  horizontalPodAutoscalerInitialReadinessDelay: number
  concurrentHorizontalPodAutoscalerSyncs: number
  /** `--feature-gates`. */
  features: ControllerFeatures
}

export const defaultSettings: ControllerSettings = {
  controllers: ['*'],
  clusterCidrs: [],
  nodeCidrMaskSizeIpv4: 24,
  nodeCidrMaskSizeIpv6: 64,
  rootCa: '',
  serviceAccountPrivateKey: '',
  signingDurationSeconds: 365 * 86_400,
  concurrentDeploymentSyncs: 5,
  concurrentReplicaSetSyncs: 5,
  concurrentEndpointSliceSyncs: 5,
  concurrentNamespaceSyncs: 10,
  concurrentServiceAccountSyncs: 5,
  concurrentGcSyncs: 20,
  maxEndpointsPerSlice: 100,
  mirroringMaxEndpointsPerSubset: 1000,
  nodeMonitorPeriod: 5_000,
  nodeMonitorGracePeriod: 50_000,
  nodeStartupGracePeriod: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  largeClusterSizeThreshold: 50,
  unhealthyZoneThreshold: 0.55,
  disableForceDetachOnTimeout: false,
  terminatedPodGcThreshold: 12_500,
  horizontalPodAutoscalerSyncPeriod: 15_000,
  horizontalPodAutoscalerDownscaleStabilization: 300_000,
  horizontalPodAutoscalerTolerance: 0.1,
  horizontalPodAutoscalerCpuInitializationPeriod: 300_000,
  horizontalPodAutoscalerInitialReadinessDelay: 30_000,
  concurrentHorizontalPodAutoscalerSyncs: 5,
  features: controllerFeatures(''),
}
