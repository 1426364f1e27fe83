import type { ResourceQuota, ResourceQuotaSpec } from '../types/core/v1.ts'
import { immutableMessage, sameValue, textOf } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { checkResourceName, checkResourceQuantity } from './pod/resources.ts'

const quotaResources = new Set([
  'cpu', 'memory', 'ephemeral-storage', 'requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage', 'limits.cpu', 'limits.memory', 'limits.ephemeral-storage',
  'pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'persistentvolumeclaims', 'configmaps', 'services.nodeports', 'services.loadbalancers',
])
const ofPods = ['pods', 'cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']

/** The resources that a scope narrows. */
const scopes: Readonly<Record<string, readonly string[]>> = {
  Terminating: ofPods, NotTerminating: ofPods, NotBestEffort: ofPods, PriorityClass: ofPods, CrossNamespacePodAffinity: ofPods, BestEffort: ['pods'],
  VolumeAttributesClass: ['persistentvolumeclaims', 'requests.storage'],
}
const existsOnly = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const conflicting = [['BestEffort', 'NotBestEffort'], ['Terminating', 'NotTerminating']]

const isQuotaResource = (name: string): boolean => quotaResources.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-')

function checkAmounts(amounts: Readonly<Record<string, string>> | undefined, at: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const field = `${at}[${name}]`
    return [
      ...checkResourceName(field, name), ...(name.includes('/') || isQuotaResource(name) ? [] : [invalid(field, name, 'must be a standard resource for quota')]),
      ...checkResourceQuantity(field, name, amount),
    ]
  })
}

/** Every resource of the quota must be one that the scope narrows. */
function checkApplies(scope: string, { hard }: ResourceQuotaSpec, field: string, shown: unknown): FieldError[] {
  const narrowed = Object.hasOwn(scopes, scope) ? scopes[scope] : undefined
  if (!narrowed) return []
  return Object.keys(hard ?? {}).sort().flatMap((name) => (isQuotaResource(name) && !narrowed.includes(name) ? [invalid(field, shown, 'unsupported scope applied to resource')] : []))
}

const checkConflicts = (given: readonly string[], field: string, shown: unknown): FieldError[] =>
  conflicting.flatMap((pair) => (pair.every((scope) => given.includes(scope)) ? [invalid(field, shown, 'conflicting scopes')] : []))

function checkScopes(spec: ResourceQuotaSpec): FieldError[] {
  const given = spec.scopes ?? []
  return [
    ...given.flatMap((scope) => [...(Object.hasOwn(scopes, scope) ? [] : [invalid('spec.scopes', given, 'unsupported scope')]), ...checkApplies(scope, spec, 'spec.scopes', given)]),
    ...checkConflicts(given, 'spec.scopes', given),
  ]
}

function checkSelector(spec: ResourceQuotaSpec): FieldError[] {
  const { scopeSelector } = spec
  if (!scopeSelector) return []
  const at = 'spec.scopeSelector.matchExpressions'
  const wanted = scopeSelector.matchExpressions ?? []
  const errors = wanted.flatMap(({ scopeName, operator, values = [] }) => {
    const scope = textOf(scopeName)
    const asked = textOf(operator)
    const found = [...(Object.hasOwn(scopes, scope) ? [] : [invalid(`${at}.scopeName`, scope, 'unsupported scope')]), ...checkApplies(scope, spec, at, scopeSelector)]
    if (existsOnly.includes(scope) && asked !== 'Exists') {
      found.push(invalid(`${at}.operator`, asked, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
        + 'ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity'))
    }
    if (asked === 'In' || asked === 'NotIn') {
      if (values.length === 0) found.push(required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
    } else if (asked === 'Exists' || asked === 'DoesNotExist') {
      if (values.length > 0) found.push(invalid(`${at}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"))
    } else found.push(invalid(`${at}.operator`, asked, 'not a valid selector operator'))
    return found
  })
  return [...errors, ...checkConflicts(wanted.map(({ scopeName }) => scopeName), at, spec.scopes ?? null)]
}

const checkSpec = (spec: ResourceQuotaSpec = {}): FieldError[] => [...checkAmounts(spec.hard, 'spec.hard'), ...checkScopes(spec), ...checkSelector(spec)]
const checkStatus = ({ status }: ResourceQuota): FieldError[] => [...checkAmounts(status?.hard, 'status.hard'), ...checkAmounts(status?.used, 'status.used')]
const setOf = (quota: ResourceQuota): string[] => [...new Set(quota.spec?.scopes)].sort()

export const resourceQuotaValidation: KindValidation<ResourceQuota> = {
  namespaced: true,
  create: (quota) => [...checkMeta(quota.metadata, true, nameIsDnsSubdomain), ...checkSpec(quota.spec), ...checkStatus(quota)],
  update: (quota, old, subresource) => [
    ...checkMetaUpdate(quota.metadata, old.metadata),
    ...(subresource === 'status' ? checkStatus(quota) : [
      ...checkSpec(quota.spec), ...(sameValue(setOf(quota), setOf(old)) ? [] : [invalid('spec.scopes', quota.spec?.scopes ?? null, immutableMessage)]),
    ]),
  ],
}
