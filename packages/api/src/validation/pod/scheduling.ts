import type { Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm, PodSchedulingGate, Toleration, TopologySpreadConstraint } from '../../types/core/v1.ts'
import type { LabelSelector } from '../../types/meta/v1.ts'
import { checkFormat, checkOneOf, child, notPositiveMessage, textOf } from '../common.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, dns1123Subdomain, labelValueFormat, qualifiedName } from '../formats.ts'
import { checkLabelSelector } from '../label-selector.ts'
import { checkLabelName } from '../object-meta.ts'

/** Effects of taints, in upstream's order. */
export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** A taint's effect; tolerations may leave it out. */
export function checkTaintEffect(field: string, effect: string | undefined, allowEmpty: boolean): FieldError[] {
  if (textOf(effect) === '' && !allowEmpty) return [required(field)]
  return checkOneOf(field, textOf(effect), taintEffects)
}

export function checkTolerations(tolerations: readonly Toleration[] | undefined, at: string): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, i) => {
    const field = `${at}[${i}]`
    const { key = '', operator = '', value = '', effect = '' } = toleration
    const errors = key === '' ? [] : checkLabelName(child(field, 'key'), key)
    if (key === '' && operator !== 'Exists') {
      errors.push(invalid(child(field, 'operator'), operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'))
    }
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') errors.push(invalid(child(field, 'effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if (operator === 'Equal' || operator === '') {
      const problems = labelValueFormat(value)
      if (problems.length > 0) errors.push(invalid(child(field, 'operator'), value, problems.join(';')))
    } else if (operator === 'Exists') {
      if (value !== '') errors.push(invalid(child(field, 'operator'), value, "value must be empty when `operator` is 'Exists'"))
    } else errors.push(notSupported(child(field, 'operator'), operator, ['Equal', 'Exists']))
    return effect === '' ? errors : [...errors, ...checkTaintEffect(child(field, 'effect'), effect, true)]
  })
}

/** A node selector; preferred terms may have any values. */
export function checkNodeSelector(selector: NodeSelector, at: string, allowInvalidValues = false): FieldError[] {
  const field = child(at, 'nodeSelectorTerms')
  if (!selector.nodeSelectorTerms?.length) return [required(field, 'must have at least one node selector term')]
  return selector.nodeSelectorTerms.flatMap((term, i) => checkNodeSelectorTerm(term, `${field}[${i}]`, allowInvalidValues))
}

function checkNodeSelectorTerm(term: NodeSelectorTerm | undefined, at: string, allowInvalidValues: boolean): FieldError[] {
  return [
    ...(term?.matchExpressions ?? []).flatMap((requirement, i) => checkNodeRequirement(requirement, `${at}.matchExpressions[${i}]`, allowInvalidValues)),
    ...(term?.matchFields ?? []).flatMap((requirement, i) => checkNodeFieldRequirement(requirement, `${at}.matchFields[${i}]`)),
  ]
}

function checkNodeRequirement({ key, operator, values }: NodeSelectorRequirement, at: string, allowInvalidValues: boolean): FieldError[] {
  const field = child(at, 'values')
  const errors: FieldError[] = []
  switch (operator) {
    case 'In': case 'NotIn':
      if (!values?.length) errors.push(required(field, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists': case 'DoesNotExist':
      if (values?.length) errors.push(forbidden(field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      break
    case 'Gt': case 'Lt':
      if (values?.length !== 1) errors.push(required(field, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      break
    default:
      errors.push(invalid(child(at, 'operator'), textOf(operator), 'not a valid selector operator'))
  }
  errors.push(...checkLabelName(child(at, 'key'), textOf(key)))
  if (!allowInvalidValues) values?.forEach((value, i) => errors.push(...checkFormat(`${field}[${i}]`, value, labelValueFormat)))
  return errors
}

function checkNodeFieldRequirement({ key, operator, values }: NodeSelectorRequirement, at: string): FieldError[] {
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') errors.push(invalid(child(at, 'operator'), textOf(operator), 'not a valid selector operator'))
  else if (values?.length !== 1) errors.push(required(child(at, 'values'), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
  if (key !== 'metadata.name') return [...errors, invalid(child(at, 'key'), textOf(key), 'not a valid field selector key')]
  return [...errors, ...(values ?? []).flatMap((value, i) => checkFormat(`${at}.values[${i}]`, value, dns1123Subdomain))]
}

const requiredTerms = 'requiredDuringSchedulingIgnoredDuringExecution'
const preferredTerms = 'preferredDuringSchedulingIgnoredDuringExecution'
const checkWeight = (field: string, weight: number | undefined) => ((weight ?? 0) < 1 || (weight ?? 0) > 100 ? [invalid(field, weight ?? 0, 'must be in the range 1-100')] : [])

export function checkAffinity(affinity: Affinity | undefined, at: string): FieldError[] {
  const node = affinity?.nodeAffinity
  const errors = node?.[requiredTerms] ? checkNodeSelector(node[requiredTerms], `${at}.nodeAffinity.${requiredTerms}`) : []
  node?.[preferredTerms]?.forEach((term, i) => {
    const field = `${at}.nodeAffinity.${preferredTerms}[${i}]`
    errors.push(...checkWeight(child(field, 'weight'), term.weight), ...checkNodeSelectorTerm(term.preference, child(field, 'preference'), true))
  })
  return [...errors, ...checkPodAffinity(affinity?.podAffinity, `${at}.podAffinity`), ...checkPodAffinity(affinity?.podAntiAffinity, `${at}.podAntiAffinity`)]
}

function checkPodAffinity(affinity: PodAffinity | undefined, at: string): FieldError[] {
  return [
    ...(affinity?.[requiredTerms] ?? []).flatMap((term, i) => checkPodAffinityTerm(term, `${at}.${requiredTerms}[${i}]`)),
    ...(affinity?.[preferredTerms] ?? []).flatMap((weighted, i) => {
      const field = `${at}.${preferredTerms}[${i}]`
      return [...checkWeight(child(field, 'weight'), weighted.weight), ...checkPodAffinityTerm(weighted.podAffinityTerm ?? { topologyKey: '' }, child(field, 'podAffinityTerm'))]
    }),
  ]
}

function checkPodAffinityTerm(term: PodAffinityTerm, at: string): FieldError[] {
  const key = textOf(term.topologyKey)
  return [
    ...checkLabelSelector(child(at, 'labelSelector'), term.labelSelector),
    ...checkLabelSelector(child(at, 'namespaceSelector'), term.namespaceSelector),
    ...(term.namespaces ?? []).flatMap((name) => checkFormat(child(at, 'namespace'), name, dns1123Label)),
    ...checkMatchLabelKeys(term, at),
    ...(key === '' ? [required(child(at, 'topologyKey'), 'can not be empty')] : []),
    ...checkLabelName(child(at, 'topologyKey'), key),
  ]
}

function checkMatchLabelKeys({ matchLabelKeys = [], mismatchLabelKeys = [], labelSelector }: PodAffinityTerm, at: string): FieldError[] {
  const errors = [...checkLabelKeys(child(at, 'matchLabelKeys'), matchLabelKeys, labelSelector), ...checkLabelKeys(child(at, 'mismatchLabelKeys'), mismatchLabelKeys, labelSelector)]
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const i = matchLabelKeys.lastIndexOf(key)
    if (i >= 0 && seen.has(key)) errors.push(invalid(`${at}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    seen.add(key)
  }
  matchLabelKeys.forEach((key, i) => {
    if (mismatchLabelKeys.includes(key)) errors.push(invalid(`${at}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  })
  return errors
}

function checkLabelKeys(field: string, keys: readonly string[], selector: LabelSelector | undefined): FieldError[] {
  if (keys.length === 0) return []
  if (!selector) return [forbidden(field, 'must not be specified when labelSelector is not set')]
  return keys.flatMap((key, i) => checkLabelName(`${field}[${i}]`, key))
}

export function checkTopologySpread(constraints: readonly TopologySpreadConstraint[] | undefined, at: string): FieldError[] {
  return (constraints ?? []).flatMap((constraint, i, all) => {
    const field = `${at}[${i}]`
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint
    const errors: FieldError[] = []
    if (maxSkew <= 0) errors.push(invalid(child(field, 'maxSkew'), maxSkew, notPositiveMessage))
    if (topologyKey === '') errors.push(required(child(field, 'topologyKey'), 'can not be empty'))
    errors.push(...checkOneOf(child(field, 'whenUnsatisfiable'), whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']))
    if (all.slice(i + 1).some((other) => textOf(other.topologyKey) === topologyKey && textOf(other.whenUnsatisfiable) === whenUnsatisfiable)) {
      errors.push(duplicate(child(field, '{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${whenUnsatisfiable}}`))
    }
    if (minDomains !== undefined && minDomains <= 0) errors.push(invalid(child(field, 'minDomains'), minDomains, notPositiveMessage))
    if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule') {
      errors.push(invalid(child(field, 'minDomains'), minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`))
    }
    for (const name of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const policy = constraint[name]
      if (policy !== undefined) errors.push(...checkOneOf(child(field, name), policy, ['Honor', 'Ignore']))
    }
    return [...errors, ...checkSpreadKeys(constraint, child(field, 'matchLabelKeys')), ...checkLabelSelector(child(field, 'labelSelector'), constraint.labelSelector)]
  })
}

function checkSpreadKeys({ matchLabelKeys = [], labelSelector }: TopologySpreadConstraint, at: string): FieldError[] {
  if (matchLabelKeys.length === 0) return []
  const selected = new Set([...Object.keys(labelSelector?.matchLabels ?? {}), ...(labelSelector?.matchExpressions ?? []).map(({ key }) => key)])
  return [
    ...(labelSelector ? [] : [forbidden(at, 'must not be specified when labelSelector is not set')]),
    ...matchLabelKeys.flatMap((key, i) => [
      ...checkLabelName(`${at}[${i}]`, key),
      ...(selected.has(key) ? [invalid(`${at}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector')] : []),
    ]),
  ]
}

export function checkSchedulingGates(gates: readonly PodSchedulingGate[] | undefined, at: string): FieldError[] {
  const seen = new Set<string>()
  return (gates ?? []).flatMap((gate, i) => {
    const name = textOf(gate.name)
    const errors = checkFormat(`${at}[${i}]`, name, qualifiedName)
    if (seen.has(name)) errors.push(duplicate(`${at}[${i}]`, name))
    seen.add(name)
    return errors
  })
}
