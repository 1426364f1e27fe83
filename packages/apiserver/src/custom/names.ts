// Which names a CustomResourceDefinition gets, and what its conditions say (upstream: apiextensions' naming and establishing controllers). Pure.
import { apiApproval } from '@berth/api'
import type { CustomResourceDefinition, CustomResourceDefinitionCondition, CustomResourceDefinitionNames } from '@berth/api/types/apiextensions/v1'

/** The names asked for, with what is derived where nothing was said. */
export function wantedNames({ spec: { names } }: CustomResourceDefinition): CustomResourceDefinitionNames {
  return { ...names, singular: names.singular || names.kind.toLowerCase(), listKind: names.listKind || `${names.kind}List` }
}

/** The names that the other definitions of a group have accepted: resource names share one room, kinds another. */
export interface TakenNames { readonly resources: ReadonlySet<string>, readonly kinds: ReadonlySet<string> }

export function takenNames(others: Iterable<CustomResourceDefinition>): TakenNames {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { status } of others) {
    const names = status?.acceptedNames
    if (!names) continue
    for (const name of [names.plural, names.singular, ...names.shortNames ?? []]) if (name) resources.add(name)
    for (const kind of [names.kind, names.listKind]) if (kind) kinds.add(kind)
  }
  return { resources, kinds }
}

type Verdict = { readonly names: CustomResourceDefinitionNames, readonly condition: Pick<CustomResourceDefinitionCondition, 'status' | 'reason' | 'message'> }

/** Accepts each name that nobody has; the ones accepted before stay where a new one is taken. */
export function acceptNames(crd: CustomResourceDefinition, taken: TakenNames): Verdict {
  const wanted = wantedNames(crd)
  const accepted: CustomResourceDefinitionNames = { ...(crd.status?.acceptedNames ?? { plural: '', kind: '' }) }
  const problems: { reason: string, message: string }[] = []
  const check = (isTaken: boolean, reason: string, name: string, take: () => void): void => {
    if (isTaken) problems.push({ reason, message: `${JSON.stringify(name)} is already in use` })
    else take()
  }
  check(taken.resources.has(wanted.plural), 'PluralConflict', wanted.plural, () => { accepted.plural = wanted.plural })
  check(taken.resources.has(wanted.singular ?? ''), 'SingularConflict', wanted.singular ?? '', () => { accepted.singular = wanted.singular })
  const short = (wanted.shortNames ?? []).filter((name) => taken.resources.has(name))
  check(short.length > 0, 'ShortNamesConflict', short[0] ?? '', () => {
    if (wanted.shortNames) accepted.shortNames = wanted.shortNames
    else delete accepted.shortNames
  })
  check(taken.kinds.has(wanted.kind), 'KindConflict', wanted.kind, () => { accepted.kind = wanted.kind })
  check(taken.kinds.has(wanted.listKind ?? ''), 'ListKindConflict', wanted.listKind ?? '', () => { accepted.listKind = wanted.listKind })
  if (wanted.categories) accepted.categories = wanted.categories
  else delete accepted.categories
  const [first] = problems
  return { names: accepted, condition: first ? { status: 'False', ...first, message: problems.map(({ message }) => message).join(', ') } : { status: 'True', reason: 'NoConflicts', message: 'no conflicts found' } }
}

export function conditionOf(crd: CustomResourceDefinition, type: string): CustomResourceDefinitionCondition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type)
}

/** Whether the resource may be served: once established it stays so. */
export function isEstablished(crd: CustomResourceDefinition): boolean {
  return conditionOf(crd, 'Established')?.status === 'True'
}

/** The conditions with one set; its time changes with its status alone. */
export function withCondition(crd: CustomResourceDefinition, condition: Omit<CustomResourceDefinitionCondition, 'lastTransitionTime'>, now: string): CustomResourceDefinitionCondition[] {
  const before = conditionOf(crd, condition.type)
  const next = { ...condition, lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime : now }
  const conditions = crd.status?.conditions ?? []
  return before ? conditions.map((each) => (each === before ? next : each)) : [...conditions, next]
}

const approvals = { missing: 'MissingAnnotation', invalid: 'InvalidAnnotation', unapproved: 'UnapprovedAnnotation', approved: 'ApprovedAnnotation' } as const

/** Definitions in groups of the community say whether they were approved; others say nothing. */
function withApproval(crd: CustomResourceDefinition, now: string): CustomResourceDefinitionCondition[] {
  const type = 'KubernetesAPIApprovalPolicyConformant'
  const approval = apiApproval(crd)
  if (!approval) return (crd.status?.conditions ?? []).filter((condition) => condition.type !== type)
  return withCondition(crd, { type, status: approval.state === 'approved' ? 'True' : 'False', reason: approvals[approval.state], message: approval.message }, now)
}

/** The status that a definition is to have; equal to what it has where nothing is to be done. */
export function statusOf(crd: CustomResourceDefinition, others: Iterable<CustomResourceDefinition>, now: string): NonNullable<CustomResourceDefinition['status']> {
  const { names, condition } = acceptNames(crd, takenNames(others))
  const accepted = { type: 'NamesAccepted', ...condition }
  const base = { ...crd, status: { ...crd.status, acceptedNames: names, conditions: withCondition(crd, accepted, now) } }
  const established = isEstablished(crd) || condition.status === 'True'
    ? { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
  const storage = crd.spec.versions.find((version) => version.storage)?.name
  const stored = crd.status?.storedVersions ?? []
  const settled = { ...base, status: { ...base.status, conditions: withCondition(base, established, now) } }
  return {
    ...base.status, conditions: withApproval(settled, now),
    storedVersions: storage === undefined || stored.includes(storage) ? stored : [...stored, storage],
  }
}
