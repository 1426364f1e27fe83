import { admissionPolicyStatusController } from './admission-policy-status/controller.ts'
import { attachDetachController } from './attach-detach/controller.ts'
import { bootstrapSigner, tokenCleaner } from './bootstrap/controllers.ts'
import { csrApproving, csrCleaner, csrSigning } from './certificate-signing/controllers.ts'
import { clusterRoleAggregationController } from './cluster-role-aggregation/controller.ts'
import type { Controller } from './context.ts'
import { cronJobController } from './cronjob/controller.ts'
import { daemonSetController } from './daemonset/controller.ts'
import { deploymentController } from './deployment/controller.ts'
import { disruptionController } from './disruption/controller.ts'
import { endpointsController } from './endpoints/controller.ts'
import { endpointSliceMirroringController } from './endpoints/mirror-controller.ts'
import { endpointSliceController } from './endpointslice/controller.ts'
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts'
import { garbageCollector } from './garbage-collector/controller.ts'
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaling/controller.ts'
import { jobController } from './job/controller.ts'
import { ttlAfterFinishedController } from './job/ttl-controller.ts'
import { namespaceController } from './namespace/controller.ts'
import { nodeIpamController } from './node-ipam/controller.ts'
import { nodeLifecycleController } from './node-lifecycle/controller.ts'
import { podGarbageCollector } from './pod-gc/controller.ts'
import { pvBinder } from './pv-binder/controller.ts'
import { replicaSetController } from './replicaset/controller.ts'
import { replicationController } from './replicationcontroller/controller.ts'
import { resourceQuotaController } from './resource-quota/controller.ts'
import { resourceClaimController } from './resource-claim/controller.ts'
import { rootCaController } from './root-ca/controller.ts'
import { serviceAccountController } from './serviceaccount/controller.ts'
import { serviceAccountTokenController } from './serviceaccount/token-controller.ts'
import { serviceCidrController } from './service-cidr/controller.ts'
import { statefulSetController } from './statefulset/controller.ts'
import { taintEvictionController } from './taint-eviction/controller.ts'
import { ttlController } from './ttl/controller.ts'
import { volumeExpander } from './volume-expand/controller.ts'
import { attributesClassProtection, claimProtection, volumeProtection } from './volume-protection/controller.ts'

/** Every controller. To add one: a folder, and a line here. */
export const controllers: readonly Controller[] = [
  namespaceController,
  serviceAccountController,
  serviceAccountTokenController,
  rootCaController,
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  deploymentController,
  replicaSetController,
  replicationController,
  daemonSetController,
  statefulSetController,
  jobController,
  ttlAfterFinishedController,
  cronJobController,
  horizontalPodAutoscalerController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  garbageCollector,
  podGarbageCollector,
  clusterRoleAggregationController,
  disruptionController,
  pvBinder,
  claimProtection,
  volumeProtection,
  attributesClassProtection,
  ephemeralVolumeController,
  resourceClaimController,
  resourceQuotaController,
  attachDetachController,
  volumeExpander,
  serviceCidrController,
  ttlController,
  admissionPolicyStatusController,
  csrApproving,
  csrSigning,
  csrCleaner,
  bootstrapSigner,
  tokenCleaner,
]

/** Names of before 1.27, which kubeadm still passes. */
const aliases: Readonly<Record<string, string>> = {
  'daemonset': 'daemonset-controller', 'statefulset': 'statefulset-controller', 'replicaset': 'replicaset-controller', 'deployment': 'deployment-controller',
  'horizontalpodautoscaling': 'horizontal-pod-autoscaler-controller', 'job': 'job-controller', 'cronjob': 'cronjob-controller', 'bootstrapsigner': 'bootstrap-signer-controller',
  'tokencleaner': 'token-cleaner-controller', 'csrsigning': 'certificatesigningrequest-signing-controller', 'csrapproving': 'certificatesigningrequest-approving-controller',
  'csrcleaner': 'certificatesigningrequest-cleaner-controller', 'root-ca-cert-publisher': 'root-ca-certificate-publisher-controller', 'nodeipam': 'node-ipam-controller',
  'nodelifecycle': 'node-lifecycle-controller', 'persistentvolume-binder': 'persistentvolume-binder-controller', 'attachdetach': 'persistentvolume-attach-detach-controller',
  'persistentvolume-expander': 'persistentvolume-expander-controller', 'ephemeral-volume': 'ephemeral-volume-controller', 'ttl': 'ttl-controller', 'endpoint': 'endpoints-controller', 'replicationcontroller': 'replicationcontroller-controller', 'podgc': 'pod-garbage-collector-controller',
  'resourcequota': 'resourcequota-controller', 'namespace': 'namespace-controller', 'serviceaccount': 'serviceaccount-controller', 'serviceaccount-token': 'serviceaccount-token-controller', 'garbagecollector': 'garbage-collector-controller',
  'pvc-protection': 'persistentvolumeclaim-protection-controller', 'pv-protection': 'persistentvolume-protection-controller', 'ttl-after-finished': 'ttl-after-finished-controller',
  'endpointslice': 'endpointslice-controller', 'endpointslicemirroring': 'endpointslice-mirroring-controller', 'disruption': 'disruption-controller',
  'clusterrole-aggregation': 'clusterrole-aggregation-controller', 'resource-claim-controller': 'resourceclaim-controller',
}

/** The controllers that `--controllers` chooses: `*` for all that are on by default, `NAME` and `-NAME`, by their names or aliases. Throws where a name is unknown. */
export function chooseControllers(choice: readonly string[]): Controller[] {
  const known = new Set(controllers.map((controller) => controller.name))
  const chosen = choice.map((item) => {
    const [, sign = '', given = ''] = /^([-+]?)(.*)$/.exec(item) ?? []
    const name = aliases[given] ?? given
    if (name !== '*' && !known.has(name)) throw new Error(`${JSON.stringify(given)} is not in the list of known controllers`)
    return sign + name
  })
  return controllers.filter(({ name, offByDefault }) => chosen.includes(name) || (chosen.includes('*') && offByDefault !== true && !chosen.includes(`-${name}`)))
}
