import type { FlowSchema, FlowSchemaSpec, PolicyRulesWithSubjects, Subject } from '../types/flowcontrol/v1.ts'
import { sameValue, textOf } from './common.ts'
import { duplicate, forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain } from './formats.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, nameIsDnsSubdomain } from './object-meta.ts'

const maxPrecedence = 10000
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const subjectKinds = ['Group', 'ServiceAccount', 'User']

const anything = (...groups: string[]): PolicyRulesWithSubjects => ({
  subjects: groups.map((name) => ({ kind: 'Group', group: { name } })),
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
})

/** Schemas that are there always, and always so. */
const fixedSchemas: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: { priorityLevelConfiguration: { name: 'exempt' }, matchingPrecedence: 1, rules: [anything('system:masters')] },
  'catch-all': {
    priorityLevelConfiguration: { name: 'catch-all' }, matchingPrecedence: 10000, distinguisherMethod: { type: 'ByUser' }, rules: [anything('system:unauthenticated', 'system:authenticated')],
  },
}

function checkWildcard(field: string, values: readonly string[], others: string): FieldError[] {
  return values.length > 1 && values.includes('*') ? [invalid(field, values, `if '*' is present, must not specify other ${others}`)] : []
}

function checkVerbs(given: readonly string[] = [], field: string): FieldError[] {
  if (given.length === 0) return [required(field, 'verbs must contain at least one value')]
  if (given.includes('*')) return checkWildcard(field, given, 'verbs')
  return given.every((verb) => verbs.includes(verb)) ? [] : [notSupported(field, given, verbs)]
}

function pathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty'
  if (path === '/') return undefined
  if (!path.startsWith('/')) return 'must start with slash'
  if (path.includes(' ')) return 'must not contain white-space'
  if (path.includes('//')) return 'must not contain double slash'
  const stars = path.split('*').length - 1
  return stars > 1 || (stars === 1 && !path.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

function checkPaths(paths: readonly string[] = [], field: string): FieldError[] {
  if (paths.length === 0) return [required(field, 'nonResourceURLs must contain at least one value')]
  if (paths.includes('*')) return checkWildcard(field, paths, 'non-resource URLs')
  return paths.flatMap((path, i) => {
    const problem = pathProblem(path)
    return problem === undefined ? [] : [invalid(`${field}[${i}]`, path, problem)]
  })
}

function checkNamespaces(namespaces: readonly string[] = [], clusterScope: boolean, field: string): FieldError[] {
  if (namespaces.length === 0 && !clusterScope) return [required(field, 'resource rules that are not cluster scoped must supply at least one namespace')]
  if (namespaces.includes('*')) return checkWildcard(field, namespaces, 'namespaces')
  return namespaces.flatMap((name, i) => dns1123Label(name).map((problem) => invalid(`${field}[${i}]`, name, `each member of this list must be '*' or a DNS-1123 label; ${problem}`)))
}

function checkSubject({ kind, user, group, serviceAccount }: Subject, at: string): FieldError[] {
  if (!subjectKinds.includes(kind)) return [notSupported(`${at}.kind`, textOf(kind), subjectKinds)]
  const own = kind === 'User' ? 'user' : kind === 'Group' ? 'group' : 'serviceAccount'
  const subject = { user, group, serviceAccount }[own]
  const name = textOf(subject?.name)
  const errors = !subject ? [required(`${at}.${own}`, `${own} is required when subject kind is '${kind}'`)] : name === '' ? [required(`${at}.${own}.name`)] : []
  if (kind === 'ServiceAccount' && serviceAccount) {
    const namespace = textOf(serviceAccount.namespace)
    if (name !== '' && name !== '*') errors.push(...dns1123Subdomain(name).map((problem) => invalid(`${at}.serviceAccount.name`, name, problem)))
    if (namespace === '') errors.push(required(`${at}.serviceAccount.namespace`, 'must specify namespace for service account'))
    else errors.push(...dns1123Label(namespace).map((problem) => invalid(`${at}.serviceAccount.namespace`, namespace, problem)))
  }
  const others = [['serviceAccount', 'ServiceAccount', serviceAccount], ['user', 'User', user], ['group', 'Group', group]] as const
  for (const [field, wanted, value] of others) if (wanted !== kind && value) errors.push(forbidden(`${at}.${field}`, `${field} is forbidden when subject kind is not '${wanted}'`))
  return errors
}

function checkRule({ subjects = [], resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects, at: string): FieldError[] {
  return [
    ...(subjects.length === 0 ? [required(`${at}.subjects`, 'subjects must contain at least one value')] : subjects.flatMap((subject, i) => checkSubject(subject, `${at}.subjects[${i}]`))),
    ...(resourceRules.length + nonResourceRules.length === 0 ? [required(at, 'at least one of resourceRules and nonResourceRules has to be non-empty')] : []),
    ...resourceRules.flatMap((rule, i) => {
      const field = `${at}.resourceRules[${i}]`
      const { apiGroups = [], resources = [] } = rule
      return [
        ...checkVerbs(rule.verbs, `${field}.verbs`),
        ...(apiGroups.length === 0 ? [required(`${field}.apiGroups`, 'resource rules must supply at least one api group')] : checkWildcard(`${field}.apiGroups`, apiGroups, 'api groups')),
        ...(resources.length === 0 ? [required(`${field}.resources`, 'resource rules must supply at least one resource')] : checkWildcard(`${field}.resources`, resources, 'resources')),
        ...checkNamespaces(rule.namespaces, rule.clusterScope === true, `${field}.namespaces`),
      ]
    }),
    ...nonResourceRules.flatMap((rule, i) => [
      ...checkVerbs(rule.verbs, `${at}.nonResourceRules[${i}].verbs`), ...checkPaths(rule.nonResourceURLs, `${at}.nonResourceRules[${i}].nonResourceURLs`),
    ]),
  ]
}

/** Conditions of flow control have types, each once. */
export function checkConditionTypes(conditions: readonly { type?: string }[] = []): FieldError[] {
  return conditions.flatMap(({ type = '' }, i) => {
    const field = `status.conditions[${i}].type`
    return [...(conditions.findIndex((other) => textOf(other.type) === type) < i ? [duplicate(field, type)] : []), ...(type === '' ? [required(field)] : [])]
  })
}

function checkSchema({ metadata, spec, status }: FlowSchema): FieldError[] {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, rules = [] } = spec ?? {}
  const level = textOf(spec?.priorityLevelConfiguration?.name)
  const method = textOf(distinguisherMethod?.type)
  const fixed = Object.hasOwn(fixedSchemas, metadata.name) ? fixedSchemas[metadata.name] : undefined
  return [
    ...checkMeta(metadata, false, nameIsDnsSubdomain),
    ...(precedence <= 0 ? [invalid('spec.matchingPrecedence', precedence, 'must be a positive value')] : []),
    ...(precedence > maxPrecedence ? [invalid('spec.matchingPrecedence', precedence, `must not be greater than ${maxPrecedence}`)] : []),
    ...(precedence === 1 && metadata.name !== 'exempt' ? [invalid('spec.matchingPrecedence', precedence, "only the schema named 'exempt' may have matchingPrecedence 1")] : []),
    ...(distinguisherMethod && method !== 'ByUser' && method !== 'ByNamespace'
      ? [notSupported('spec.distinguisherMethod.type', { Type: method }, ['ByNamespace', 'ByUser'])] : []),
    ...(level === '' ? [required('spec.priorityLevelConfiguration.name', 'must reference a priority level')]
      : dns1123Subdomain(level).map((problem) => invalid('spec.priorityLevelConfiguration.name', level, problem))),
    ...rules.flatMap((rule, i) => checkRule(rule, `spec.rules[${i}]`)),
    ...(fixed && !sameValue(spec, fixed) ? [invalid('spec', spec, `spec of '${metadata.name}' must equal the fixed value`)] : []),
    ...checkConditionTypes(status?.conditions),
  ]
}

export const flowSchemaValidation: KindValidation<FlowSchema> = {
  namespaced: false,
  create: checkSchema,
  update: (schema, _old, subresource) => (subresource === 'status' ? checkConditionTypes(schema.status?.conditions) : checkSchema(schema)),
}
