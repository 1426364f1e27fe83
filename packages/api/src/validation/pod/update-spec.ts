import type { Affinity, NodeAffinity, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../../types/core/v1.ts'
import { checkRange, sameValue, textOf } from '../common.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { toInternal } from '../internal/forms.ts'
import { internalDiff } from '../internal/diff.ts'
import { checkMetaUpdate } from '../object-meta.ts'
import { checkPodAnnotationsUpdate } from './annotations.ts'
import { checkImagePadding } from './containers.ts'
import { checkTolerations } from './scheduling.ts'

const updatable = [
  '`spec.containers[*].image`', '`spec.initContainers[*].image`', '`spec.activeDeadlineSeconds`', '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

/** A pod's spec hardly changes: images, deadline, tolerations, gates; for gated pods also where they may go. `whole` are the errors of the new pod as such. */
export function checkPodSpecUpdate(pod: Pod, old: Pod, whole: readonly FieldError[]): FieldError[] {
  const errors = [...checkMetaUpdate(pod.metadata, old.metadata), ...whole, ...checkPodAnnotationsUpdate(pod, old, 'metadata.annotations')]
  for (const list of ['containers', 'initContainers'] as const) {
    const now = pod.spec[list] ?? []
    if (now.length !== (old.spec[list]?.length ?? 0)) return [...errors, forbidden(`spec.${list}`, 'pod updates may not add or remove containers')]
    now.forEach((container, i) => {
      if (textOf(container.image) === '') errors.push(required(`spec.${list}[${i}].image`))
      errors.push(...checkImagePadding(container, `spec.${list}[${i}]`))
    })
  }
  const deadline = pod.spec.activeDeadlineSeconds
  const oldDeadline = old.spec.activeDeadlineSeconds
  if (deadline !== undefined) {
    const range = checkRange('spec.activeDeadlineSeconds', deadline, 0, 2147483647)
    if (range.length > 0) return [...errors, ...range]
    if (oldDeadline !== undefined && oldDeadline < deadline) return [...errors, invalid('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value')]
  } else if (oldDeadline !== undefined) errors.push(invalid('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value'))
  errors.push(...checkOnlyAddedTolerations(pod.spec.tolerations, old.spec.tolerations))
  const known = new Set(old.spec.schedulingGates?.map((gate) => gate.name))
  pod.spec.schedulingGates?.forEach((gate, i) => {
    if (!known.has(gate.name)) errors.push(forbidden(`spec.schedulingGates[${i}].name`, `only deletion is allowed, but found new scheduling gate '${gate.name}'`))
  })
  const { munged, errors: gated } = withAllowedChangesUndone(pod.spec, old.spec)
  errors.push(...gated)
  if (sameValue(munged, old.spec)) return errors
  return [...errors, forbidden('spec', `pod updates may not change fields other than ${updatable}\n${internalDiff(toInternal('PodSpec', old.spec), toInternal('PodSpec', munged))}`)]
}

function checkOnlyAddedTolerations(now: readonly Toleration[] | undefined, before: readonly Toleration[] | undefined): FieldError[] {
  const kept = (before ?? []).every((old) => now?.some((toleration) => sameValue({ ...toleration, tolerationSeconds: undefined }, { ...old, tolerationSeconds: undefined })))
  if (!kept) return [forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
  return checkTolerations(now, 'spec.tolerations')
}

/** The new spec with all that may change set back, so that what remains different is refused. */
function withAllowedChangesUndone(now: PodSpec, old: PodSpec): { munged: PodSpec; errors: FieldError[] } {
  const munged: PodSpec = { ...now, containers: (now.containers ?? []).map((container, i) => ({ ...container, image: old.containers[i]?.image })) }
  if (now.initContainers) munged.initContainers = now.initContainers.map((container, i) => ({ ...container, image: old.initContainers?.[i]?.image }))
  munged.activeDeadlineSeconds = old.activeDeadlineSeconds
  munged.schedulingGates = old.schedulingGates
  munged.tolerations = old.tolerations
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && munged.terminationGracePeriodSeconds === 1) munged.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds
  if (!old.schedulingGates?.length) return { munged, errors: [] }
  const errors: FieldError[] = []
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => now.nodeSelector?.[key] !== value)) {
    errors.push(invalid('spec.nodeSelector', now.nodeSelector ?? null, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'))
  }
  munged.nodeSelector = old.nodeSelector
  errors.push(...checkNodeAffinityMutation(now.affinity?.nodeAffinity, old.affinity?.nodeAffinity))
  const { nodeAffinity: _, ...otherAffinity } = munged.affinity ?? {}
  const affinity: Affinity = old.affinity?.nodeAffinity ? { ...otherAffinity, nodeAffinity: old.affinity.nodeAffinity } : otherAffinity
  munged.affinity = Object.keys(affinity).length === 0 ? undefined : affinity
  return { munged, errors }
}

const requiredTerms = 'requiredDuringSchedulingIgnoredDuringExecution'

/** Of a gated pod's required terms only more may be demanded. */
function checkNodeAffinityMutation(now: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const oldTerms = old?.[requiredTerms]?.nodeSelectorTerms ?? []
  const terms = now?.[requiredTerms]?.nodeSelectorTerms ?? []
  const field = `spec.affinity.nodeAffinity.${requiredTerms}.nodeSelectorTerms`
  if (oldTerms.length === 0) return []
  if (oldTerms.length !== terms.length) return [invalid(field, terms.map((term) => toInternal('NodeSelectorTerm', term)), 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')]
  return oldTerms.flatMap((oldTerm, i) => {
    const term = terms[i]
    return term && onlyAdds(term, oldTerm) ? [] : [invalid(`${field}[${i}]`, toInternal('NodeSelectorTerm', term), 'only additions are allowed (no mutations or deletions)')]
  })
}

function onlyAdds(now: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  if (lists.every((list) => !old[list]?.length)) return lists.every((list) => !now[list]?.length)
  return lists.every((list) => sameValue(now[list]?.slice(0, old[list]?.length ?? 0), old[list]))
}
