import type { Container, PodTemplateSpec } from '../types/core/v1.ts'
import type { Job } from '../types/batch/v1.ts'
import { selectorOf } from '../selectors/labels.ts'
import { checkImmutable, sameValue, textOf } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import { checkJobSpec } from './job/spec.ts'
import { checkJobStatus } from './job/status.ts'
import type { KindValidation, ValidationOptions } from './kind.ts'
import { checkLabelSelector } from './label-selector.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const newLabels = { uid: 'batch.kubernetes.io/controller-uid', name: 'batch.kubernetes.io/job-name' }
const oldLabels = { uid: 'controller-uid', name: 'job-name' }

function checkLabel(labels: Readonly<Record<string, string>> | undefined, key: string, expected: string): FieldError[] {
  const field = `spec.template.metadata.labels[${key}]`
  if (labels?.[key] === undefined) return [required(field, `must be '${expected}'`)]
  return labels[key] === expected ? [] : [invalid(field, labels, `must be '${expected}'`)]
}

function selects(job: Job, labels: Readonly<Record<string, string>> | undefined): boolean {
  try {
    return selectorOf(job.spec.selector).matches(labels)
  } catch {
    return true
  }
}

/** A selector that the server made must be as it makes them, and the template must have the labels. */
function checkGenerated(job: Job, withNewLabels: boolean): FieldError[] {
  if (job.spec.manualSelector || !job.spec.selector) return []
  const uid = textOf(job.metadata.uid)
  const name = textOf(job.metadata.name)
  const labels = job.spec.template?.metadata?.labels
  const sets = [oldLabels, ...(withNewLabels ? [newLabels] : [])]
  const expected = Object.fromEntries(sets.flatMap((set) => [[set.uid, uid], [set.name, name]]))
  return [
    ...(uid === '' ? [required('metadata.uid')] : []),
    ...sets.flatMap((set) => [...checkLabel(labels, set.uid, uid), ...checkLabel(labels, set.name, name)]),
    ...(selects(job, expected) ? [] : [invalid('spec.selector', job.spec.selector, '`selector` not auto-generated')]),
  ]
}

function checkSpec(job: Job, { allowPrivileged }: ValidationOptions): FieldError[] {
  const { spec } = job
  const labels = spec.template?.metadata?.labels
  return [
    ...checkJobSpec(spec, 'spec', allowPrivileged),
    ...(spec.selector ? checkLabelSelector('spec.selector', spec.selector) : [required('spec.selector')]),
    ...(selects(job, labels) && spec.selector ? [] : [invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`')]),
  ]
}

function checkJob(job: Job, options: ValidationOptions, withNewLabels: boolean): FieldError[] {
  const { completionMode, completions = 0 } = job.spec
  // Pods of an indexed job are named after the job and their index.
  const last = `${job.metadata.name}-${completions - 1}`
  const unnameable = completionMode === 'Indexed' && completions > 0 && dns1123Label(last).length > 0
  return [
    ...checkMeta(job.metadata, true, nameIsDnsSubdomain),
    ...checkGenerated(job, withNewLabels),
    ...checkSpec(job, options),
    ...(unnameable ? [invalid('metadata.name', job.metadata.name, `will not able to create pod with invalid DNS label: ${last}`)] : []),
  ]
}

/** Suspended, and no pod of it is there: its template may still change where pods go and what they get. */
function isIdle({ spec, status }: Job): boolean {
  const suspended = status?.conditions?.some(({ type, status: value }) => type === 'Suspended' && value === 'True') ?? false
  return spec.suspend === true && (status?.startTime === undefined || suspended) && (status?.active ?? 0) === 0
}

/** The old template with what may change taken from the new one. */
function laxTemplate(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = template.spec ?? { containers: [] }
  const resourcesOf = (list: Container[] | undefined, now: Container[] | undefined): Container[] | undefined => (list?.length !== now?.length ? list
    : list?.map((container, i) => (now?.[i]?.name === container.name ? { ...container, resources: now[i].resources } : container)))
  const oldSpec = old.spec ?? { containers: [] }
  const { nodeAffinity: _, ...otherAffinity } = oldSpec.affinity ?? {}
  const node = affinity?.nodeAffinity
  const merged = { ...otherAffinity, ...(node && { nodeAffinity: node }) }
  const keepsAffinity = Object.keys(merged).length > 0 || affinity !== undefined
  return {
    ...old, metadata: { ...old.metadata, name: old.metadata?.name ?? '', annotations: template.metadata?.annotations, labels: template.metadata?.labels },
    spec: {
      ...oldSpec, nodeSelector, tolerations, schedulingGates, affinity: keepsAffinity ? merged : undefined,
      containers: resourcesOf(oldSpec.containers, template.spec?.containers) ?? [], initContainers: resourcesOf(oldSpec.initContainers, template.spec?.initContainers),
    },
  }
}

function checkTemplateUpdate(job: Job, old: Job): FieldError[] {
  const template = job.spec.template ?? {}
  const before = old.spec.template ?? {}
  const idle = isIdle(old)
  if (idle ? sameValue(template.spec, laxTemplate(template, before).spec) : sameValue(template, before)) return []
  if (idle && old.spec.suspend) return [invalid('spec.template.spec', toInternal('PodSpec', template.spec), 'field is immutable')]
  return [invalid('spec.template', { ...template.metadata, Spec: toInternal('PodSpec', template.spec) }, 'field is immutable')]
}

function checkCompletions({ spec }: Job, old: Job): FieldError[] {
  if (spec.completionMode !== 'Indexed') return checkImmutable('spec.completions', spec.completions ?? null, old.spec.completions)
  if (spec.completions === undefined || spec.completions === old.spec.completions || spec.completions === spec.parallelism) return []
  return [invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism')]
}

export const jobValidation: KindValidation<Job> = {
  namespaced: true,
  create: (job, options) => checkJob(job, options, true),
  update(job, old, subresource, options) {
    const meta = checkMetaUpdate(job.metadata, old.metadata)
    if (subresource === 'status') return [...meta, ...checkJobStatus(job, old)]
    const labels = old.spec.template?.metadata?.labels
    const fixed = (field: 'completionMode' | 'podFailurePolicy' | 'backoffLimitPerIndex' | 'managedBy' | 'successPolicy', form?: string): FieldError[] => (sameValue(job.spec[field], old.spec[field]) ? []
      : [invalid(`spec.${field}`, form && job.spec[field] ? toInternal(form, job.spec[field]) : job.spec[field] ?? null, 'field is immutable')])
    return [
      ...checkJob(job, options, labels?.[newLabels.name] !== undefined && labels[newLabels.uid] !== undefined),
      ...meta,
      ...checkSpec(job, options),
      ...checkCompletions(job, old),
      ...checkImmutable('spec.selector', job.spec.selector ?? null, old.spec.selector),
      ...checkTemplateUpdate(job, old),
      ...fixed('completionMode'), ...fixed('podFailurePolicy', 'PodFailurePolicy'), ...fixed('backoffLimitPerIndex'), ...fixed('managedBy'), ...fixed('successPolicy', 'SuccessPolicy'),
    ]
  },
}
