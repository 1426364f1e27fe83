import type { PodGroup, PodGroupResourceClaim, PodGroupSchedulingPolicy, PodGroupSpec, PodGroupTemplate, Workload } from '../types/scheduling/v1alpha2.ts'
import { checkFormat, checkImmutable, checkOneOf, checkRequired, checkRequiredFormat, sameValue, textOf } from './common.ts'
import { checkConditions } from './conditions.ts'
import { duplicate, invalid, required, tooMany } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain, pathSegmentName, qualifiedName } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const templatesLimit = 8
const claimsLimit = 4
const topologiesLimit = 1
const highestPriority = 1000000000

/** Exactly one of several fields. */
function checkUnion(field: string, members: Readonly<Record<string, unknown>>): FieldError[] {
  const names = Object.keys(members).map((name) => `\`${name}\``)
  const given = Object.entries(members).filter(([, value]) => value !== undefined).map(([name]) => `\`${name}\``)
  if (given.length === 1) return []
  return given.length === 0 ? [invalid(field, '', `must specify one of: ${names.join(', ')}`)] : [invalid(field, `{${given.join(', ')}}`, `must specify exactly one of: ${names.join(', ')}`)]
}

function checkPolicy(policy: PodGroupSchedulingPolicy | undefined, at: string): FieldError[] {
  const { basic, gang } = policy ?? {}
  const errors = checkUnion(at, { basic, gang })
  if (!gang) return errors
  const count = gang.minCount ?? 0
  return [...errors, ...(count === 0 ? [required(`${at}.gang.minCount`)] : count < 1 ? [invalid(`${at}.gang.minCount`, count, 'must be greater than or equal to 1')] : [])]
}

function checkClaims(claims: readonly PodGroupResourceClaim[] | undefined, at: string): FieldError[] {
  if (claims && claims.length > claimsLimit) return [tooMany(at, claims.length, claimsLimit)]
  const repeated = (claims ?? []).flatMap((claim, i) => (claims?.findIndex(({ name }) => name === claim.name) === i ? [] : [duplicate(`${at}[${i}]`, claim)]))
  return [...repeated, ...(claims ?? []).flatMap((claim, i) => {
    const { resourceClaimName, resourceClaimTemplateName } = claim
    return [
      ...checkUnion(`${at}[${i}]`, { resourceClaimName, resourceClaimTemplateName }),
      ...checkRequiredFormat(`${at}[${i}].name`, claim.name, dns1123Label),
      ...(resourceClaimName === undefined ? [] : checkFormat(`${at}[${i}].resourceClaimName`, resourceClaimName, dns1123Subdomain)),
      ...(resourceClaimTemplateName === undefined ? [] : checkFormat(`${at}[${i}].resourceClaimTemplateName`, resourceClaimTemplateName, dns1123Subdomain)),
    ]
  })]
}

/** What groups and templates of groups have in common. What gates keep off has been dropped before. */
function checkGroup(group: PodGroupSpec | PodGroupTemplate, at: string): FieldError[] {
  const topologies = group.schedulingConstraints?.topology ?? []
  const { priority } = group
  return [
    ...checkPolicy(group.schedulingPolicy, `${at}.schedulingPolicy`),
    ...(topologies.length > topologiesLimit ? [tooMany(`${at}.schedulingConstraints.topology`, topologies.length, topologiesLimit)]
      : topologies.flatMap(({ key }, i) => checkRequiredFormat(`${at}.schedulingConstraints.topology[${i}].key`, key, qualifiedName))),
    ...checkClaims(group.resourceClaims, `${at}.resourceClaims`),
    ...(group.disruptionMode === undefined ? [] : checkOneOf(`${at}.disruptionMode`, group.disruptionMode, ['Pod', 'PodGroup'])),
    ...(textOf(group.priorityClassName) === '' ? [] : checkFormat(`${at}.priorityClassName`, textOf(group.priorityClassName), dns1123Subdomain)),
    ...(priority !== undefined && priority > highestPriority ? [invalid(`${at}.priority`, priority, `must be less than or equal to ${highestPriority}`)] : []),
  ]
}

function checkGroupUpdate(group: PodGroup, old: PodGroup): FieldError[] {
  const fields = ['podGroupTemplateRef', 'schedulingPolicy', 'schedulingConstraints', 'resourceClaims', 'disruptionMode', 'priorityClassName', 'priority'] as const
  return fields.flatMap((field) => checkImmutable(`spec.${field}`, group.spec[field] ?? null, old.spec[field]))
}

function checkTemplateRef({ podGroupTemplateRef: ref }: PodGroupSpec): FieldError[] {
  if (!ref) return []
  const at = 'spec.podGroupTemplateRef'
  return [
    ...checkUnion(at, { workload: ref.workload }),
    ...(ref.workload ? [
      ...checkRequiredFormat(`${at}.workload.workloadName`, ref.workload.workloadName, dns1123Subdomain),
      ...checkRequiredFormat(`${at}.workload.podGroupTemplateName`, ref.workload.podGroupTemplateName, dns1123Label),
    ] : []),
  ]
}

function checkGroupStatus({ spec, status }: PodGroup): FieldError[] {
  const statuses = status?.resourceClaimStatuses ?? []
  return [
    ...checkConditions(status?.conditions, 'status.conditions'),
    ...statuses.flatMap(({ name, resourceClaimName }, i) => [
      ...(spec.resourceClaims?.some((claim) => claim.name === name) ? [] : [invalid(`status.resourceClaimStatuses[${i}].name`, name, 'must match the name of an entry in `spec.resourceClaims`')]),
      ...(resourceClaimName === undefined ? [] : checkFormat(`status.resourceClaimStatuses[${i}].resourceClaimName`, resourceClaimName, dns1123Subdomain)),
    ]),
    ...(statuses.length > claimsLimit ? [tooMany('status.resourceClaimStatuses', statuses.length, claimsLimit)] : []),
  ]
}

export const podGroupValidation: KindValidation<PodGroup> = {
  namespaced: true,
  create: (group) => [...checkMeta(group.metadata, true, nameIsDnsSubdomain), ...checkTemplateRef(group.spec), ...checkGroup(group.spec, 'spec')],
  update: (group, old, subresource) => [...checkMetaUpdate(group.metadata, old.metadata), ...(subresource === 'status' ? checkGroupStatus(group) : checkGroupUpdate(group, old))],
}

function checkWorkloadSpec({ spec }: Workload): FieldError[] {
  const at = 'spec.podGroupTemplates'
  const ref = spec.controllerRef
  const templates = spec.podGroupTemplates ?? []
  const errors = ref ? [
    ...(textOf(ref.apiGroup) === '' ? [] : checkFormat('spec.controllerRef.apiGroup', textOf(ref.apiGroup), dns1123Subdomain)),
    ...(['kind', 'name'] as const).flatMap((field) => (textOf(ref[field]) === '' ? checkRequired(`spec.controllerRef.${field}`, ref[field]) : checkFormat(`spec.controllerRef.${field}`, ref[field], pathSegmentName))),
  ] : []
  if (templates.length === 0) return [...errors, required(at)]
  if (templates.length > templatesLimit) return [...errors, tooMany(at, templates.length, templatesLimit)]
  const repeated = templates.flatMap((template, i) => (templates.findIndex(({ name }) => name === template.name) === i ? [] : [duplicate(`${at}[${i}]`, template)]))
  return [...errors, ...repeated, ...templates.flatMap((template, i) => [...checkRequiredFormat(`${at}[${i}].name`, template.name, dns1123Label), ...checkGroup(template, `${at}[${i}]`)])]
}

export const workloadValidation: KindValidation<Workload> = {
  namespaced: true,
  create: (workload) => [...checkMeta(workload.metadata, true, nameIsDnsSubdomain), ...checkWorkloadSpec(workload)],
  update: (workload, old) => [
    ...checkMetaUpdate(workload.metadata, old.metadata),
    ...(old.spec.controllerRef ? checkImmutable('spec.controllerRef', workload.spec.controllerRef ?? null, old.spec.controllerRef) : []),
    ...(sameValue(workload.spec.podGroupTemplates, old.spec.podGroupTemplates) ? [] : [invalid('spec.podGroupTemplates', workload.spec.podGroupTemplates ?? null, 'field is immutable')]),
  ],
}
