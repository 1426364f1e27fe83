import { batch } from '@berth/api'
import type { ApiObject } from '../interfaces.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, valueAt } from '../registry/values.ts'
import { bumpOnSpecChange, keepStatus, specAndStatus, statusReset, statusSubresource } from './common.ts'

const uidLabel = 'batch.kubernetes.io/controller-uid'

const sorted = (map: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Unless the selector is the user's own: labels that only this job's pods have, and a selector of them. What the user set stays, and is judged later. */
function generateSelector(object: ApiObject): void {
  const spec = asRecord(object['spec'])
  if (!spec || spec['manualSelector'] === true) return
  const { name, uid = '' } = object.metadata
  const template = asRecord(spec['template']) ?? {}
  const meta = asRecord(template['metadata']) ?? {}
  const labels = sorted({ 'job-name': name, 'batch.kubernetes.io/job-name': name, 'controller-uid': uid, [uidLabel]: uid, ...asRecord(meta['labels']) })
  spec['template'] = { ...template, metadata: { ...meta, labels } }
  const selector = asRecord(spec['selector']) ?? {}
  spec['selector'] = { ...selector, matchLabels: sorted({ [uidLabel]: uid, ...asRecord(selector['matchLabels']) }) }
  // A job without labels of its own has its template's.
  if (Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = { ...labels } as Record<string, string>
}

const orphanWarning = 'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

export const jobs: ResourceDefinition = {
  resource: batch.jobs,
  storagePrefix: 'jobs',
  resetFields: statusReset,
  orphansByDefault: true,
  deleteWarning: (options) => (options.propagationPolicy === undefined && options.orphanDependents === undefined ? orphanWarning : undefined),
  prepareForCreate(object) {
    generateSelector(object)
    object['status'] = {}
    bumpGeneration(object, true)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
  },
  fieldLabels: { 'status.successful': (o) => String(valueAt(o, 'status', 'succeeded') ?? 0) },
  subresources: { status: statusSubresource() },
}

export const cronjobs: ResourceDefinition = {
  resource: batch.cronjobs,
  storagePrefix: 'cronjobs',
  ...specAndStatus,
  subresources: { status: statusSubresource() },
}
