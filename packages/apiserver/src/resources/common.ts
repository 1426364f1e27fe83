// What many strategies share: status that only its subresource writes, generations, scale.
import type { FieldError } from '@berth/api'
import { formatLabelSelector } from '@berth/api'
import type { Features } from '../features.ts'
import type { ApiObject } from '../interfaces.ts'
import type { PartSubresource, ProjectionSubresource } from '../registry/definition.ts'
import { bumpGeneration } from '../registry/system-fields.ts'
import { asRecord, cloneValue, equalValues, valueAt } from '../registry/values.ts'

/** The paths that a main resource with a status subresource ignores. */
export const statusReset = [['status']] as const

/** Sets a top-level field to a copy of what another object has there. */
export function keepField(object: ApiObject, old: ApiObject, field: string): void {
  if (old[field] === undefined) delete object[field]
  else object[field] = cloneValue(old[field])
}

/** Keeps the status that is stored, whatever was sent. */
export function keepStatus(object: ApiObject, old: ApiObject): void {
  keepField(object, old, 'status')
}

/** Raises the generation when spec differs. */
export function bumpOnSpecChange(object: ApiObject, old: ApiObject): void {
  bumpGeneration(object, !equalValues(object['spec'], old['spec']))
}

/** The strategy of kinds of a spec and a status: status comes by its subresource alone, and a new generation with each new spec. */
export const specAndStatus = {
  resetFields: statusReset,
  prepareForCreate(object: ApiObject): void {
    object['status'] = {}
    bumpGeneration(object, true)
  },
  prepareForUpdate(object: ApiObject, old: ApiObject): void {
    keepStatus(object, old)
    bumpOnSpecChange(object, old)
  },
} as const

interface StatusOptions {
  keepLabels?: boolean
  keepOwners?: boolean
  /** Nothing of metadata changes but managedFields. */
  keepMeta?: boolean
  adjust?(object: ApiObject, old: ApiObject, features: Features): void
}

/** /status: everything but status and metadata stays as it is stored. */
export function statusSubresource(options: StatusOptions = {}): PartSubresource {
  const { keepLabels = false, keepOwners = false, keepMeta: keepsMeta = false, adjust } = options
  return {
    type: 'part',
    methods: ['get', 'update', 'patch'],
    resetFields: [...(keepsMeta ? [['metadata']] : []), ['spec'], ...(keepLabels ? [['metadata', 'labels']] : []), ...(keepOwners ? [['metadata', 'ownerReferences']] : [])],
    prepareForUpdate(object, old, features) {
      for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (field !== 'status' && field !== 'metadata' && field !== 'kind' && field !== 'apiVersion') keepField(object, old, field)
      }
      if (keepLabels) keepMeta(object, old, 'labels')
      if (keepOwners) keepMeta(object, old, 'ownerReferences')
      if (keepsMeta) for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) keepMeta(object, old, field)
      adjust?.(object, old, features)
    },
  }
}

function keepMeta(object: ApiObject, old: ApiObject, field: 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'): void {
  const meta = object.metadata as unknown as Record<string, unknown>
  if (old.metadata[field] === undefined) delete meta[field]
  else meta[field] = cloneValue(old.metadata[field])
}

/** /scale of a workload with spec.replicas, status.replicas and a label selector. */
export const scaleSubresource: ProjectionSubresource = {
  type: 'projection',
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  project(parent) {
    const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata
    const given = asRecord(valueAt(parent, 'spec', 'selector'))
    // A ReplicationController's selector is the labels themselves.
    const selector = formatLabelSelector((parent.kind === 'ReplicationController' ? { matchLabels: given } : given) as Parameters<typeof formatLabelSelector>[0])
    return {
      kind: 'Scale', apiVersion: 'autoscaling/v1',
      metadata: { name, ...(namespace && { namespace }), ...(uid && { uid }), ...(resourceVersion && { resourceVersion }), creationTimestamp },
      spec: numberOr0(valueAt(parent, 'spec', 'replicas')) === 0 ? {} : { replicas: numberOr0(valueAt(parent, 'spec', 'replicas')) },
      status: { replicas: numberOr0(valueAt(parent, 'status', 'replicas')), ...(selector && { selector }) },
    }
  },
  validate(projected): FieldError[] {
    const replicas = numberOr0(valueAt(projected, 'spec', 'replicas'))
    return replicas < 0 ? [{ type: 'Invalid', field: 'spec.replicas', badValue: replicas, detail: 'must be greater than or equal to 0' }] : []
  },
  writeBack(projected, parent) {
    parent['spec'] = { ...asRecord(parent['spec']), replicas: numberOr0(valueAt(projected, 'spec', 'replicas')) }
    const version = projected.metadata.resourceVersion
    if (version) parent.metadata.resourceVersion = version
  },
}

function numberOr0(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
