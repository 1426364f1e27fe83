// Which requests an admission webhook or policy is asked about.
import type { MatchCondition, MatchResources, NamedRuleWithOperations, RuleWithOperations } from '../../types/admissionregistration/v1.ts'
import { textOf } from '../common.ts'
import { duplicate, invalid, notSupported, required, tooMany } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { pathSegmentName, qualifiedName } from '../formats.ts'
import { checkLabelSelector } from '../label-selector.ts'

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const ruleScopes = ['*', 'Cluster', 'Namespaced']
export const failurePolicies = ['Fail', 'Ignore']
export const matchPolicies = ['Equivalent', 'Exact']
const conditionsMax = 64

/** `*` stands alone. */
function checkWildcard(field: string, values: readonly string[], others: string): FieldError[] {
  return values.length > 1 && values.includes('*') ? [invalid(field, values, `if '*' is present, must not specify other ${others}`)] : []
}

function checkResources(resources: readonly string[], field: string): FieldError[] {
  const errors = resources.length === 0 ? [required(field)] : []
  const wholeResources = new Set<string>()
  const wholeSubresources = new Set<string>()
  let plain = false
  for (const [i, text] of resources.entries()) {
    const at = `${field}[${i}]`
    if (text === '') {
      errors.push(required(at))
      continue
    }
    const slash = text.indexOf('/')
    if (slash < 0) {
      plain = text !== '*'
      continue
    }
    const resource = text.slice(0, slash)
    const subresource = text.slice(slash + 1)
    if (wholeResources.has(resource)) errors.push(invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (wholeSubresources.has(subresource)) errors.push(invalid(at, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') wholeResources.add(resource)
    if (resource === '*') wholeSubresources.add(subresource)
  }
  if (resources.length > 1 && resources.includes('*/*')) errors.push(invalid(field, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && plain) errors.push(invalid(field, resources, "if '*' is present, must not specify other resources without subresources"))
  return errors
}

export function checkRule(rule: RuleWithOperations, at: string): FieldError[] {
  const { operations: asked = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  return [
    ...(asked.length === 0 ? [required(`${at}.operations`)] : []),
    ...checkWildcard(`${at}.operations`, asked, 'operations'),
    ...asked.flatMap((operation, i) => (operations.includes(operation) ? [] : [notSupported(`${at}.operations[${i}]`, operation, operations)])),
    ...(apiGroups.length === 0 ? [required(`${at}.apiGroups`)] : []),
    ...checkWildcard(`${at}.apiGroups`, apiGroups, 'API groups'),
    ...(apiVersions.length === 0 ? [required(`${at}.apiVersions`)] : []),
    ...checkWildcard(`${at}.apiVersions`, apiVersions, 'API versions'),
    ...apiVersions.flatMap((version, i) => (version === '' ? [required(`${at}.apiVersions[${i}]`)] : [])),
    ...checkResources(resources, `${at}.resources`),
    ...(scope === undefined || ruleScopes.includes(scope) ? [] : [notSupported(`${at}.scope`, scope, ruleScopes)]),
  ]
}

function checkNamedRule(rule: NamedRuleWithOperations, at: string): FieldError[] {
  const names = rule.resourceNames ?? []
  return [
    ...names.flatMap((name, i) => [
      ...pathSegmentName(name).map((problem) => invalid(`${at}.resourceNames[${i}]`, name, problem)), ...(names.indexOf(name) < i ? [duplicate(`${at}.resourceNames[${i}]`, name)] : []),
    ]),
    ...checkRule(rule, at),
  ]
}

/** Defaults have filled everything but the rules; absent matches what the policy does. */
export function checkMatchResources(match: MatchResources | undefined, at: string): FieldError[] {
  if (!match) return []
  const { matchPolicy, namespaceSelector, objectSelector } = match
  return [
    ...(matchPolicy === undefined ? [required(`${at}.matchPolicy`)] : matchPolicies.includes(matchPolicy) ? [] : [notSupported(`${at}.matchPolicy`, matchPolicy, matchPolicies)]),
    ...(namespaceSelector ? checkLabelSelector(`${at}.namespaceSelector`, namespaceSelector) : [required(`${at}.namespaceSelector`)]),
    ...(objectSelector ? checkLabelSelector(`${at}.objectSelector`, objectSelector) : [required(`${at}.objectSelector`)]),
    ...(match.resourceRules ?? []).flatMap((rule, i) => checkNamedRule(rule, `${at}.resourceRules[${i}]`)),
    ...(match.excludeResourceRules ?? []).flatMap((rule, i) => checkNamedRule(rule, `${at}.excludeResourceRules[${i}]`)),
  ]
}

/** Conditions by form alone: whether they compile is not judged here. */
export function checkMatchConditions(conditions: readonly MatchCondition[] | undefined, at: string): FieldError[] {
  const names = new Set<string>()
  const list = conditions ?? []
  return [
    ...(list.length > conditionsMax ? [tooMany(at, list.length, conditionsMax)] : []),
    ...list.flatMap(({ name = '', expression }, i) => {
      const errors = textOf(expression).trim() === '' ? [required(`${at}[${i}].expression`)] : []
      if (name === '') return [...errors, required(`${at}[${i}].name`)]
      errors.push(...qualifiedName(name).map((problem) => invalid(`${at}[${i}].name`, name, problem)))
      if (names.has(name)) errors.push(duplicate(`${at}[${i}].name`, name))
      names.add(name)
      return errors
    }),
  ]
}
