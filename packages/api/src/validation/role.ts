import type { ClusterRole, PolicyRule, Role } from '../types/rbac/v1.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelSelector } from './label-selector.ts'
import { checkMeta, checkMetaUpdate, nameIsPathSegment } from './object-meta.ts'

function checkRule(rule: PolicyRule, at: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = []
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs: urls } = rule
  if (!verbs?.length) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'))
  if (urls?.length) {
    if (namespaced) errors.push(invalid(`${at}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups?.length || resources?.length || resourceNames?.length) errors.push(invalid(`${at}.nonResourceURLs`, urls, 'rules cannot apply to both regular resources and non-resource URLs'))
    return errors
  }
  if (!apiGroups?.length) errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
  if (!resources?.length) errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'))
  return errors
}

function rulesFor(namespaced: boolean): KindValidation<Role & Pick<ClusterRole, 'aggregationRule'>> {
  const check = (role: Role & Pick<ClusterRole, 'aggregationRule'>): FieldError[] => {
    const errors = checkMeta(role.metadata, namespaced, nameIsPathSegment)
    role.rules?.forEach((rule, i) => errors.push(...checkRule(rule, `rules[${i}]`, namespaced)))
    if (role.aggregationRule) {
      const selectors = role.aggregationRule.clusterRoleSelectors ?? []
      if (selectors.length === 0) errors.push(required('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
      selectors.forEach((selector, i) => errors.push(...checkLabelSelector(`aggregationRule.clusterRoleSelectors[${i}]`, selector)))
    }
    return errors
  }
  return { namespaced, create: check, update: (role, old) => [...check(role), ...checkMetaUpdate(role.metadata, old.metadata)] }
}

export const roleValidation: KindValidation<Role> = rulesFor(true)
export const clusterRoleValidation: KindValidation<ClusterRole> = rulesFor(false)
