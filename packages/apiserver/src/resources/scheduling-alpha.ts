// scheduling.k8s.io/v1alpha2: groups of pods that are scheduled together. Served with --runtime-config=scheduling.k8s.io/v1alpha2=true.
import { schedulingV1alpha2 } from '@berth/api'
import type { FeatureName, Features } from '../features.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { asRecord, valueAt } from '../registry/values.ts'
import { keepStatus, statusReset, statusSubresource } from './common.ts'

const gated: readonly (readonly [string, FeatureName])[] = [
  ['schedulingConstraints', 'TopologyAwareWorkloadScheduling'], ['resourceClaims', 'DRAWorkloadResourceClaims'],
  ['disruptionMode', 'WorkloadAwarePreemption'], ['priorityClassName', 'WorkloadAwarePreemption'], ['priority', 'WorkloadAwarePreemption'],
]

/** Fields whose gate is off are kept only where they were in use. */
function dropGated(group: Record<string, unknown> | undefined, old: Record<string, unknown> | undefined, features: Features): void {
  for (const [field, gate] of gated) if (group && !features.enabled(gate) && old?.[field] === undefined) delete group[field]
}

const templatesOf = (object: unknown): (Record<string, unknown> | undefined)[] => {
  const found = valueAt(object, 'spec', 'podGroupTemplates')
  return Array.isArray(found) ? found.map(asRecord) : []
}

export const workloads: ResourceDefinition = {
  resource: schedulingV1alpha2.workloads,
  storagePrefix: 'workloads',
  offByDefault: true,
  prepareForCreate(object, features) {
    for (const template of templatesOf(object)) dropGated(template, undefined, features)
  },
  prepareForUpdate(object, old, features) {
    templatesOf(object).forEach((template, i) => dropGated(template, templatesOf(old)[i], features))
  },
}

export const podgroups: ResourceDefinition = {
  resource: schedulingV1alpha2.podgroups,
  storagePrefix: 'podgroups',
  offByDefault: true,
  resetFields: statusReset,
  prepareForCreate(object, features) {
    object['status'] = {}
    dropGated(asRecord(object['spec']), undefined, features)
  },
  prepareForUpdate(object, old, features) {
    keepStatus(object, old)
    dropGated(asRecord(object['spec']), asRecord(old['spec']), features)
  },
  subresources: {
    status: statusSubresource({ keepMeta: true, adjust(object, old, features) {
      const status = asRecord(object['status'])
      if (status && !features.enabled('DRAWorkloadResourceClaims') && valueAt(old, 'spec', 'resourceClaims') === undefined) delete status['resourceClaimStatuses']
    } }),
  },
}
