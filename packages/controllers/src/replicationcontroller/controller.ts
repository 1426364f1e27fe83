import { core } from '@berth/api'
import type { ReplicationController } from '@berth/api/types/core/v1'
import type { ReplicaSet } from '@berth/api/types/apps/v1'
import type { Controller } from '../context.ts'
import { replicaController } from '../replicaset/controller.ts'

/** A ReplicationController as the ReplicaSet that it would be; a set's status it does not have (`terminatingReplicas`) is left out again. */
export function asReplicaSet(object: ReplicationController): ReplicaSet {
  return { ...object, spec: { ...object.spec, selector: { matchLabels: object.spec.selector ?? {} } } }
}

export function asReplicationController(set: ReplicaSet): ReplicationController {
  const { terminatingReplicas: _none, ...status } = set.status ?? { replicas: 0 }
  return { ...set, spec: { ...set.spec, selector: set.spec.selector.matchLabels ?? {} }, status }
}

/** Keeps as many pods as each ReplicationController wants: the ReplicaSets' way. */
export const replicationController: Controller = replicaController({
  controller: 'replicationcontroller-controller',
  events: 'replication-controller',
  queue: 'replicationmanager',
  resource: core.replicationcontrollers,
  asSet: asReplicaSet,
  writeStatus: (client, set) => client.update(core.replicationcontrollers, asReplicationController(set), { subresource: 'status' }),
})
