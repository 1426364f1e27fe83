import type { PodSpec, PodTemplateSpec, Volume } from '../types/core/v1.ts'
import type { StatefulSet, StatefulSetSpec } from '../types/apps/v1.ts'
import { selectorOf } from '../selectors/labels.ts'
import type { Selector } from '../selectors/labels.ts'
import { checkFormat, checkNonNegative, checkOneOf, sameValue, textOf } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelSelector, isEmptySelector } from './label-selector.ts'
import { checkAnnotations, checkLabels, checkMeta, checkMetaUpdate, nameIsDnsLabel } from './object-meta.ts'
import { checkClaimSpec } from './persistent-volume-claim/spec.ts'
import { checkPodAnnotations } from './pod/annotations.ts'
import { checkPodTemplate } from './pod/template.ts'
import { checkIntOrPercent, checkNotOver100Percent, checkReplicaCounts, isZeroIntOrPercent } from './workload.ts'

interface Scope {
  readonly allowPrivileged: boolean
  /** On updates what cannot change is not judged again, nor a template that was wrong before. */
  readonly update: boolean
  readonly skipTemplate: boolean
}

function checkStrategy(strategy: StatefulSetSpec['updateStrategy']): FieldError[] {
  const at = 'spec.updateStrategy'
  const rolling = strategy?.rollingUpdate
  switch (strategy?.type) {
    case undefined: case '' as never:
      return [required(at)]
    case 'OnDelete':
      return rolling ? [invalid(`${at}.rollingUpdate`, toInternal('RollingUpdateStatefulSetStrategy', rolling), "only allowed for updateStrategy 'RollingUpdate'")] : []
    case 'RollingUpdate': {
      if (!rolling) return []
      const field = `${at}.rollingUpdate.maxUnavailable`
      const unavailable = rolling.maxUnavailable
      return [
        ...checkNonNegative(`${at}.rollingUpdate.partition`, rolling.partition),
        ...(unavailable === undefined ? [] : [
          ...checkIntOrPercent(field, unavailable), ...(isZeroIntOrPercent(unavailable) ? [invalid(field, unavailable, 'cannot be 0')] : []), ...checkNotOver100Percent(field, unavailable),
        ]),
      ]
    }
    default:
      return [invalid(at, toInternal('StatefulSetUpdateStrategy', strategy), "must be 'RollingUpdate' or 'OnDelete'")]
  }
}

function checkPolicy(policy: string | undefined): FieldError[] {
  const field = 'spec.podManagementPolicy'
  if (textOf(policy) === '') return [required(field)]
  return policy === 'OrderedReady' || policy === 'Parallel' ? [] : [invalid(field, policy, "must be 'OrderedReady' or 'Parallel'")]
}

/** The template as pods will have it: the controller sets host name and subdomain, and mounts the claims. */
function templateOfPods(spec: StatefulSetSpec): PodTemplateSpec {
  const template = spec.template ?? {}
  const claims = spec.volumeClaimTemplates ?? []
  const { subdomain: _subdomain, hostname: _hostname, ...rest } = template.spec ?? { containers: [] }
  const podSpec: PodSpec = rest
  if (claims.length === 0) return { ...template, spec: podSpec }
  const names = new Set(claims.map((claim) => claim.metadata?.name ?? ''))
  const volumes: Volume[] = [...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
  return { ...template, spec: { ...podSpec, volumes: [...volumes, ...(podSpec.volumes ?? []).filter((volume) => !names.has(volume.name))] } }
}

function checkTemplate(spec: StatefulSetSpec, selector: Selector, { allowPrivileged, skipTemplate }: Scope): FieldError[] {
  const at = 'spec.template'
  const template = templateOfPods(spec)
  const { labels, annotations } = template.metadata ?? {}
  return [
    ...(!selector.isEmpty() && !selector.matches(labels) ? [invalid(`${at}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`')] : []),
    ...(skipTemplate ? [] : checkPodTemplate(template, at, allowPrivileged)),
    ...checkLabels(`${at}.labels`, labels),
    ...checkAnnotations(`${at}.annotations`, annotations),
    ...checkPodAnnotations(annotations, template.spec ?? { containers: [] }, `${at}.annotations`),
  ]
}

function checkSelector(spec: StatefulSetSpec, scope: Scope): FieldError[] {
  const field = 'spec.selector'
  const errors = spec.selector ? checkLabelSelector(field, spec.selector) : [required(field)]
  if (spec.selector && isEmptySelector(spec.selector)) errors.push(invalid(field, spec.selector, 'empty selector is invalid for statefulset'))
  try {
    return [...errors, ...checkTemplate(spec, selectorOf(spec.selector), scope)]
  } catch {
    return [...errors, invalid(field, spec.selector, '')]
  }
}

function checkSpec({ spec }: StatefulSet, scope: Scope): FieldError[] {
  const retention = spec.persistentVolumeClaimRetentionPolicy
  const policy = textOf(spec.template?.spec?.restartPolicy)
  return [
    ...checkPolicy(spec.podManagementPolicy),
    ...checkStrategy(spec.updateStrategy),
    ...(retention ? (['whenDeleted', 'whenScaled'] as const).flatMap((when) => checkOneOf(`spec.persistentVolumeClaimRetentionPolicy.${when}`, textOf(retention[when]), ['Retain', 'Delete'])) : []),
    ...(scope.update ? [] : (spec.volumeClaimTemplates ?? []).flatMap((claim, i) => checkClaimSpec(claim.spec, `spec.volumeClaimTemplates[${i}].spec`))),
    ...checkNonNegative('spec.replicas', spec.replicas),
    ...checkNonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...checkNonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...(scope.update || textOf(spec.serviceName) === '' ? [] : checkFormat('spec.serviceName', textOf(spec.serviceName), dns1123Label)),
    ...checkSelector(spec, scope),
    ...(policy === 'Always' ? [] : [notSupported('spec.template.spec.restartPolicy', policy, ['Always'])]),
    ...(spec.template?.spec?.activeDeadlineSeconds === undefined ? [] : [forbidden('spec.template.spec.activeDeadlineSeconds', 'activeDeadlineSeconds in StatefulSet is not Supported')]),
  ]
}

const changeable = ['replicas', 'template', 'updateStrategy', 'minReadySeconds', 'ordinals', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy']
const refusal = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
const fixedPart = (spec: StatefulSetSpec): object => Object.fromEntries(Object.entries(spec).filter(([field]) => !changeable.includes(field)))

function checkStatus({ status }: StatefulSet, old: StatefulSet): FieldError[] {
  const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']
  const errors = checkReplicaCounts({ ...status }, parts, ['replicas', 'observedGeneration', 'collisionCount'], 'cannot be greater than status.readyReplicas')
  const before = old.status?.collisionCount
  const now = status?.collisionCount
  if (before !== undefined && (now === undefined || now < before)) errors.push(invalid('status.collisionCount', now ?? 0, 'cannot be decremented'))
  return errors
}

export const statefulSetValidation: KindValidation<StatefulSet> = {
  namespaced: true,
  create: (set, { allowPrivileged }) => [...checkMeta(set.metadata, true, nameIsDnsLabel), ...checkSpec(set, { allowPrivileged, update: false, skipTemplate: false })],
  update(set, old, subresource, { allowPrivileged }) {
    if (subresource === 'status') return [...checkStatus(set, old), ...checkMetaUpdate(set.metadata, old.metadata)]
    const skipTemplate = checkSpec(old, { allowPrivileged, update: true, skipTemplate: false }).length > 0
    return [
      ...checkMetaUpdate(set.metadata, old.metadata),
      ...checkSpec(set, { allowPrivileged, update: true, skipTemplate }),
      ...(sameValue(fixedPart(set.spec), fixedPart(old.spec)) ? [] : [forbidden('spec', refusal)]),
    ]
  },
}
