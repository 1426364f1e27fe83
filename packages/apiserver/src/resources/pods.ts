import { core, podQosClass } from '@berth/api'
import type { PodSpec } from '@berth/api/types/core/v1'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, cloneValue, equalValues, stringAt, valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepField, keepStatus, statusReset, statusSubresource } from './common.ts'
import { mergeLabelKeys } from './pod-label-keys.ts'
import { evictionSubresource } from './eviction.ts'
import { bindingSubresource } from './pod-actions.ts'

function prepareForCreate(object: ApiObject): void {
  object.metadata.generation = 1
  const spec = asRecord(object['spec']) ?? {}
  const grace = spec['terminationGracePeriodSeconds']
  if (typeof grace === 'number' && grace < 0) spec['terminationGracePeriodSeconds'] = 1
  mergeLabelKeys(object)
  const status: Record<string, unknown> = { phase: 'Pending', qosClass: podQosClass(spec as unknown as PodSpec) }
  const gates = spec['schedulingGates']
  if (Array.isArray(gates) && gates.length > 0) {
    status['conditions'] = [{
      type: 'PodScheduled', status: 'False', lastProbeTime: null, lastTransitionTime: null,
      reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates', observedGeneration: 1,
    }]
  }
  object['status'] = status
}

/** How long the pod may take to end: at once when nothing of it can be running. */
function gracePeriod(object: ApiObject, asked: number | undefined): number {
  const own = valueAt(object, 'spec', 'terminationGracePeriodSeconds')
  let period = asked ?? (typeof own === 'number' ? own : 0)
  if (stringAt(object, 'spec', 'nodeName') === '') period = 0
  const phase = stringAt(object, 'status', 'phase')
  if (phase === 'Failed' || phase === 'Succeeded') period = 0
  return period < 0 ? 1 : period
}

/** /ephemeralcontainers: of what was sent only spec.ephemeralContainers counts. */
function takeEphemeralContainers(object: ApiObject, old: ApiObject): void {
  const sent = valueAt(object, 'spec', 'ephemeralContainers')
  keepField(object, old, 'spec')
  keepStatus(object, old)
  const spec = asRecord(object['spec']) ?? {}
  if (sent === undefined) delete spec['ephemeralContainers']
  else spec['ephemeralContainers'] = sent
  bumpOnSpecChange(object, old)
}

/** /resize: of what was sent only containers' resources count. */
function takeResources(object: ApiObject, old: ApiObject): void {
  const sent = asRecord(object['spec']) ?? {}
  const spec = cloneValue(asRecord(old['spec']) ?? {})
  for (const list of ['containers', 'initContainers']) {
    const kept = spec[list]
    const given = sent[list]
    if (!Array.isArray(kept) || !Array.isArray(given)) continue
    for (const container of kept as Record<string, unknown>[]) {
      const match = (given as Record<string, unknown>[]).find((c) => c['name'] === container['name'])
      if (!match) continue
      if (match['resources'] !== undefined) container['resources'] = match['resources']
    }
  }
  object['spec'] = spec
  keepStatus(object, old)
  bumpOnSpecChange(object, old)
}

export const pods: ResourceDefinition = {
  resource: core.pods,
  storagePrefix: 'pods',
  returnsDeletedObject: true,
  resetFields: statusReset,
  prepareForCreate,
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpGeneration(object, !equalValues(object['spec'], old['spec']))
  },
  gracePeriod,
  fieldLabels: {
    'spec.nodeName': (o) => stringAt(o, 'spec', 'nodeName'),
    'spec.restartPolicy': (o) => stringAt(o, 'spec', 'restartPolicy'),
    'spec.schedulerName': (o) => stringAt(o, 'spec', 'schedulerName'),
    'spec.serviceAccountName': (o) => stringAt(o, 'spec', 'serviceAccountName'),
    'spec.hostNetwork': (o) => String(valueAt(o, 'spec', 'hostNetwork') === true),
    'status.phase': (o) => stringAt(o, 'status', 'phase'),
    'status.podIP': (o) => stringAt(o, 'status', 'podIP'),
    'status.podIPs': (o) => stringAt(o, 'status', 'podIP'),
    'status.nominatedNodeName': (o) => stringAt(o, 'status', 'nominatedNodeName'),
  },
  subresources: {
    status: statusSubresource({
      keepOwners: true,
      adjust(object, old) {
        const status = asRecord(object['status'])
        if (status && !status['qosClass'] && valueAt(old, 'status', 'qosClass') !== undefined) status['qosClass'] = valueAt(old, 'status', 'qosClass')
      },
    }),
    ephemeralcontainers: { type: 'part', methods: ['get', 'update', 'patch'], resetFields: statusReset, prepareForUpdate: takeEphemeralContainers },
    resize: { type: 'part', methods: ['get', 'update', 'patch'], resetFields: statusReset, prepareForUpdate: takeResources },
    binding: bindingSubresource,
    eviction: evictionSubresource,
  },
}
