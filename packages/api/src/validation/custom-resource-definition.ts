import { structuralOf } from '../custom/structural.ts'
import type { JsonObject } from '../schema/model.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionSpec, CustomResourceDefinitionVersion } from '../types/apiextensions/v1.ts'
import { checkImmutable, sameValue, textOf } from './common.ts'
import { apiApproval, approvalAnnotation } from './custom-definition/approval.ts'
import { checkConversion, speaksKnownReview } from './custom-definition/conversion.ts'
import { checkNames } from './custom-definition/names.ts'
import { partsOf } from './custom-definition/places.ts'
import { checkSchema } from './custom-definition/schema.ts'
import { checkColumn, checkDeprecation, checkSelectableFields, checkSubresources } from './custom-definition/version-parts.ts'
import { invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1035Label, dns1123Subdomain } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkGenericMeta, checkGenericMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const scopes = ['Cluster', 'Namespaced']

const fullList = <T>(list: T[] | undefined): T[] | undefined => (list?.length ? list : undefined)
const hasStatus = ({ subresources }: CustomResourceDefinitionVersion): boolean => subresources?.status !== undefined

function checkVersions(spec: CustomResourceDefinitionSpec, old: CustomResourceDefinitionSpec | undefined): FieldError[] {
  const versions = spec.versions ?? []
  const errors: FieldError[] = versions.flatMap((version, i) => (version.schema?.openAPIV3Schema ? [] : [required(`spec.versions[${i}].schema.openAPIV3Schema`)]))
  for (const [i, version] of versions.entries()) {
    const problems = dns1035Label(textOf(version.name))
    if (problems.length > 0) errors.push(invalid(`spec.versions[${i}].name`, textOf(version.name), problems.join(',')))
    errors.push(...checkDeprecation(version.deprecated === true, version.deprecationWarning, `spec.versions[${i}].deprecationWarning`))
  }
  for (const { value, at, version } of partsOf(versions, (each) => each.schema, 'validation', 'schema')) {
    if (value.openAPIV3Schema) errors.push(...checkSchema(value.openAPIV3Schema, `${at}.openAPIV3Schema`, version ? hasStatus(version) : versions.some(hasStatus)))
  }
  for (const { value, at } of partsOf(versions, (each) => each.subresources, 'subresources', 'subresources')) errors.push(...checkSubresources(value, at))
  for (const { value, at } of partsOf(versions, (each) => fullList(each.additionalPrinterColumns), 'additionalPrinterColumns', 'additionalPrinterColumns')) {
    errors.push(...value.flatMap((column, i) => checkColumn(column, `${at}[${i}]`)))
  }
  for (const { value, at, version } of partsOf(versions, (each) => fullList(each.selectableFields), 'selectableFields', 'selectableFields')) {
    const own = version ?? versions[0]
    const schema = own?.schema?.openAPIV3Schema
    const before = old?.versions?.find(({ name }) => name === own?.name)?.selectableFields
    if (!schema) errors.push(invalid(at, '', 'may only be set when `version.schema.openAPIV3Schema` is not included'))
    else errors.push(...checkSelectableFields(value, structuralOf(schema as JsonObject), at, sameValue(before, value)))
  }
  const names = versions.map(({ name }) => name)
  if (new Set(names).size < names.length) errors.push(invalid('spec.versions', versions, 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1) errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'))
  const [first] = versions
  const problems = first && textOf(first.name) !== '' ? dns1035Label(first.name) : []
  if (first && problems.length > 0) errors.push(invalid('spec.version', first.name, problems.join(',')))
  return errors
}

function checkSpec(spec: CustomResourceDefinitionSpec, old?: CustomResourceDefinitionSpec): FieldError[] {
  const group = textOf(spec.group)
  const scope = textOf(spec.scope)
  const groupProblems = dns1123Subdomain(group)
  const errors = [
    ...(group === '' ? [required('spec.group')] : groupProblems.length > 0 ? [invalid('spec.group', group, groupProblems.join(','))]
      : group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')]),
    ...(scope === '' ? [required('spec.scope')] : scopes.includes(scope) ? [] : [notSupported('spec.scope', scope, scopes)]),
    ...checkVersions(spec, old),
  ]
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) if (textOf(spec.names?.[name]) === '') errors.push(required(`spec.names.${name}`))
  errors.push(...checkNames(spec.names, 'spec.names'))
  if (spec.conversion && spec.conversion.strategy !== 'None' && spec.preserveUnknownFields) {
    errors.push(invalid('spec.conversion.strategy', spec.conversion.strategy, 'must be None if spec.preserveUnknownFields is true'))
  }
  return [...errors, ...checkConversion(spec.conversion, !old || speaksKnownReview(old.conversion))]
}

function checkStoredVersions({ spec, status }: CustomResourceDefinition): FieldError[] {
  const at = 'status.storedVersions'
  const stored = status?.storedVersions ?? []
  if (stored.length === 0) return [invalid(at, status?.storedVersions ?? null, 'must have at least one stored version')]
  const names = (spec.versions ?? []).map(({ name }) => name)
  return [
    ...(spec.versions ?? []).flatMap(({ name, storage }) => (storage && !stored.includes(name) ? [invalid(at, stored, `must have the storage version ${name}`)] : [])),
    ...stored.flatMap((name, i) => (names.includes(name) ? [] : [invalid(`${at}[${i}]`, name,
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`)])),
  ]
}

function checkApproval(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const approval = apiApproval(crd)
  if (!approval || (old && apiApproval(old)?.state === approval.state)) return []
  const field = `metadata.annotations[${approvalAnnotation}]`
  if (approval.state === 'missing') return [required(field, approval.message)]
  return approval.state === 'invalid' ? [invalid(field, crd.metadata.annotations?.[approvalAnnotation], approval.message)] : []
}

function checkPreserving({ spec }: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  if (!spec.preserveUnknownFields || old?.spec.preserveUnknownFields) return []
  return [invalid('spec.preserveUnknownFields', true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead')]
}

const checkRest = (crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] => [
  ...checkNames(crd.status?.acceptedNames, 'status.acceptedNames'), ...checkStoredVersions(crd), ...checkApproval(crd, old), ...checkPreserving(crd, old),
]

function checkSpecUpdate(spec: CustomResourceDefinitionSpec, old: CustomResourceDefinition): FieldError[] {
  const established = old.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true
  const before = old.spec
  return [
    ...checkSpec(spec, before),
    ...(established ? [...checkImmutable('spec.scope', spec.scope, before.scope), ...checkImmutable('spec.names.kind', textOf(spec.names?.kind), textOf(before.names?.kind))] : []),
    ...checkImmutable('spec.group', spec.group, before.group),
    ...checkImmutable('spec.names.plural', textOf(spec.names?.plural), textOf(before.names?.plural)),
  ]
}

export const customResourceDefinitionValidation: KindValidation<CustomResourceDefinition> = {
  namespaced: false,
  create: (crd) => [
    ...checkGenericMeta(crd.metadata, false, (name, prefix) => [
      ...nameIsDnsSubdomain(name, prefix), ...(name === `${textOf(crd.spec.names?.plural)}.${textOf(crd.spec.group)}` ? [] : ['must be spec.names.plural+"."+spec.group']),
    ]),
    ...checkSpec(crd.spec),
    ...checkRest(crd),
  ],
  update: (crd, old, subresource) => [
    ...checkGenericMetaUpdate(crd.metadata, old.metadata),
    ...(subresource === 'status' ? checkNames(crd.status?.acceptedNames, 'status.acceptedNames') : [...checkSpecUpdate(crd.spec, old), ...checkRest(crd, old)]),
  ],
}
