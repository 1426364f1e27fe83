import type { PolicyRule } from '@berth/api/types/rbac/v1'
import type { AuthorizationAttributes } from '../../interfaces.ts'

/** Whether one rule allows what is asked (upstream's RuleAllows). */
export function ruleAllows(rule: PolicyRule, asked: AuthorizationAttributes): boolean {
  if (!hasOrAll(rule.verbs, asked.verb)) return false
  if (!asked.resourceRequest) return (rule.nonResourceURLs ?? []).some((url) => urlCovers(url, asked.path))
  return hasOrAll(rule.apiGroups, asked.apiGroup) && resourceMatches(rule.resources, asked) && nameMatches(rule.resourceNames, asked.name)
}

function hasOrAll(values: readonly string[] | undefined, wanted: string): boolean {
  return values !== undefined && (values.includes('*') || values.includes(wanted))
}

function resourceMatches(resources: readonly string[] | undefined, asked: AuthorizationAttributes): boolean {
  const combined = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`
  const anyParent = asked.subresource === '' ? undefined : `*/${asked.subresource}`
  return (resources ?? []).some((r) => r === '*' || r === combined || r === anyParent)
}

function nameMatches(names: readonly string[] | undefined, name: string): boolean {
  return names === undefined || names.length === 0 || names.includes(name)
}

/** Whether a rule's path covers another: equal, or a prefix that ends in `*`. */
function urlCovers(owner: string, path: string): boolean {
  return owner === '*' || owner === path || (owner.endsWith('*') && path.startsWith(owner.replace(/\*+$/, '')))
}

/**
 * The parts of `wanted` that `held` does not cover, each a rule of one verb on one resource (or one name, one path).
 * Empty means that whoever holds `held` may grant `wanted`.
 */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((single) => !held.some((owner) => covers(owner, single)))
}

/** Splits a rule into rules of one group, one resource, one verb and at most one name. */
function breakDown(rule: PolicyRule): PolicyRule[] {
  const single: PolicyRule[] = []
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const base: PolicyRule = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (rule.resourceNames?.length) for (const name of rule.resourceNames) single.push({ ...base, resourceNames: [name] })
        else single.push(base)
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) single.push({ nonResourceURLs: [url], verbs: [verb] })
  return single
}

function covers(owner: PolicyRule, single: PolicyRule): boolean {
  const within = (set: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean => set?.includes('*') || (wanted ?? []).every((w) => set?.includes(w))
  const names = owner.resourceNames ?? []
  const wantedNames = single.resourceNames ?? []
  return within(owner.verbs, single.verbs)
    && within(owner.apiGroups, single.apiGroups)
    && (single.resources ?? []).every((r) => resourceCovered(owner.resources ?? [], r))
    && (single.nonResourceURLs ?? []).every((url) => (owner.nonResourceURLs ?? []).some((o) => urlCovers(o, url)))
    && (names.length === 0 || (wantedNames.length > 0 && wantedNames.every((n) => names.includes(n))))
}

function resourceCovered(owned: readonly string[], wanted: string): boolean {
  const slash = wanted.indexOf('/')
  return owned.includes('*') || owned.includes(wanted) || (slash > 0 && owned.includes(`*/${wanted.slice(slash + 1)}`))
}

/** Joins the verbs of rules that speak of the same single resource; other rules come first, unchanged (upstream's CompactRules). */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const others: PolicyRule[] = []
  const simple = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const isSimple = rule.apiGroups?.length === 1 && rule.resources?.length === 1 && (rule.resourceNames?.length ?? 0) <= 1 && !rule.nonResourceURLs?.length
    if (!isSimple) {
      others.push(rule)
      continue
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames ?? []])
    const known = simple.get(key)
    simple.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule)
  }
  return [...others, ...simple.values()]
}

/** A rule as upstream prints it in refusals: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups], ['Resources', rule.resources], ['NonResourceURLs', rule.nonResourceURLs], ['ResourceNames', rule.resourceNames], ['Verbs', rule.verbs],
  ]
  return `{${parts.filter(([, values]) => values && values.length > 0).map(([name, values]) => `${name}:${quoteAll(values ?? [])}`).join(', ')}}`
}

/** Strings as Go's %q prints a slice of them: `["a" "b"]`. */
export function quoteAll(values: readonly string[]): string {
  return `[${values.map((v) => JSON.stringify(v)).join(' ')}]`
}
