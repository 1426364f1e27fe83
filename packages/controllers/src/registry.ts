import { attachDetachController } from './attach-detach/controller.ts'
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
import { statefulSetController } from './statefulset/controller.ts'
import { taintEvictionController } from './taint-eviction/controller.ts'
import { claimProtection, volumeProtection } from './volume-protection/controller.ts'

/** Every controller. To add one: a folder, and a line here. */
export const controllers: readonly Controller[] = [
  namespaceController,
  serviceAccountController,
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
  ephemeralVolumeController,
  resourceClaimController,
  resourceQuotaController,
  attachDetachController,
  csrApproving,
  csrSigning,
  csrCleaner,
]

/** The controllers that `--controllers` chooses: `*` for all that are on by default, `NAME` and `-NAME`. Throws where a name is unknown. */
export function chooseControllers(choice: readonly string[]): Controller[] {
  const known = new Set(controllers.map((controller) => controller.name))
  for (const item of choice) {
    const name = item.replace(/^[-+]/, '')
    if (name !== '*' && !known.has(name)) throw new Error(`${JSON.stringify(name)} is not in the list of known controllers`)
  }
  return controllers.filter(({ name }) => choice.includes(name) || (choice.includes('*') && !choice.includes(`-${name}`)))
}
