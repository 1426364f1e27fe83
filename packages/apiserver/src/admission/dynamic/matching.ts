// Which requests a webhook or a policy is about: rules, excluded rules, selectors on the namespace and the object (upstream: webhook/predicates).
import { core, labelSelectorMatcher } from '@berth/api'
import type { MatchResources, NamedRuleWithOperations, RuleWithOperations } from '@berth/api/types/admissionregistration/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { AdmissionAttributes, ResourceStore } from '../../interfaces.ts'

/** What says which requests are meant: a webhook's fields, or a policy's matchConstraints. */
export interface Matching {
  readonly rules: readonly (RuleWithOperations & { resourceNames?: string[] })[]
  readonly excluded?: readonly NamedRuleWithOperations[]
  readonly namespaceSelector: LabelSelector | undefined
  readonly objectSelector: LabelSelector | undefined
  /** Exact: the version that a rule names is the one that is stored. Else every version of the resource is meant. */
  readonly exact: boolean
}

export function matchingOf(constraints: MatchResources | undefined): Matching {
  return {
    rules: constraints?.resourceRules ?? [], excluded: constraints?.excludeResourceRules ?? [], namespaceSelector: constraints?.namespaceSelector, objectSelector: constraints?.objectSelector,
    exact: constraints?.matchPolicy === 'Exact',
  }
}

/** Whether a request is meant. */
export function isMeant(matching: Matching, attributes: AdmissionAttributes, store: ResourceStore): boolean {
  if (!matching.rules.some((rule) => ruleMatches(rule, attributes, matching.exact))) return false
  if ((matching.excluded ?? []).some((rule) => ruleMatches(rule, attributes, matching.exact))) return false
  return namespaceMatches(matching.namespaceSelector, attributes, store) && objectMatches(matching.objectSelector, attributes)
}

const has = (list: readonly string[] | undefined, value: string): boolean => (list ?? []).some((each) => each === '*' || each === value)

function ruleMatches(rule: RuleWithOperations & { resourceNames?: string[] }, attributes: AdmissionAttributes, exact: boolean): boolean {
  const { operation, resource, subresource, name } = attributes
  if (!has(rule.operations, operation) || !has(rule.apiGroups, resource.group)) return false
  if (exact && !has(rule.apiVersions, resource.version)) return false
  if (rule.scope === 'Namespaced' && !resource.namespaced) return false
  // A Namespace lives in none, though its requests are about one.
  if (rule.scope === 'Cluster' && resource.namespaced) return false
  if ((rule.resourceNames ?? []).length > 0 && !rule.resourceNames?.includes(name)) return false
  return (rule.resources ?? []).some((each) => {
    const [main = '', sub = ''] = each.split('/')
    return (main === '*' || main === resource.resource) && (sub === '*' ? true : sub === subresource) && !(each === '*' && subresource !== '')
  })
}

const isEmpty = (selector: LabelSelector | undefined): boolean => Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0

/** Cluster-scoped objects are meant whatever the selector says; a Namespace is judged by its own labels. */
function namespaceMatches(selector: LabelSelector | undefined, attributes: AdmissionAttributes, store: ResourceStore): boolean {
  if (selector === undefined || isEmpty(selector)) return true
  const { resource, namespace, object, oldObject } = attributes
  const isNamespace = resource.group === '' && resource.resource === 'namespaces'
  if (!isNamespace && namespace === '') return true
  const labels = isNamespace ? (object ?? oldObject)?.metadata.labels : store.get(core.namespaces, namespace)?.metadata.labels
  return labelSelectorMatcher(selector)(labels ?? {})
}

function objectMatches(selector: LabelSelector | undefined, { object, oldObject }: AdmissionAttributes): boolean {
  if (selector === undefined || isEmpty(selector)) return true
  const matches = labelSelectorMatcher(selector)
  return [object, oldObject].some((each) => each !== undefined && matches(each.metadata?.labels ?? {}))
}
