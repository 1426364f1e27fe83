import { fieldErrors, type FieldError } from '@berth/api'
import type { NodeAffinity, NodeSelectorTerm, TopologySpreadConstraint } from '@berth/api/types/core/v1'
import { parseDuration } from '@berth/kube'
import type { FeatureGates } from './feature-gates.ts'

const { invalid, required, forbidden, duplicate, notSupported } = fieldErrors

type Args = Record<string, unknown>
interface Weighted { name: string; weight?: number }
interface Point { utilization: number; score: number }

/** What is to be known of a plugin's args: their defaults, and what is wrong with them (upstream: defaults.go, validation_pluginargs.go). */
interface ArgsRules {
  readonly defaults: (args: Args, gates: FeatureGates) => Args
  readonly check?: (args: Args, path: string, gates: FeatureGates) => FieldError[]
}

const usualResources: readonly Weighted[] = [{ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }]

function weighted(resources: unknown): Weighted[] {
  const given = (resources as Weighted[] | undefined) ?? []
  return given.length === 0 ? [...usualResources] : given.map(({ name, weight }) => ({ name, weight: weight || 1 }))
}

function checkRange(field: string, value: number, low: number, high: number): FieldError[] {
  return value < low || value > high ? [invalid(field, value, `not in valid range [${low}, ${high}]`)] : []
}

const labelName = /^(?:(?=[^/]{1,253}\/)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const labelNameRule = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

function checkLabelName(field: string, name: string): FieldError[] {
  return labelName.test(name) ? [] : [invalid(field, name, labelNameRule)]
}

/** A shape of points: scores over utilization, in increasing order. */
function checkShape(points: readonly Point[] | undefined, path: string): FieldError[] {
  if (!points?.length) return [required(path, 'at least one point must be specified')]
  const errors: FieldError[] = []
  const unsorted = points.findIndex((point, i) => i > 0 && (points[i - 1]?.utilization ?? 0) >= point.utilization)
  if (unsorted > 0) errors.push(invalid(`${path}[${unsorted}].utilization`, points[unsorted]?.utilization, 'values must be sorted in increasing order'))
  for (const [i, { utilization, score }] of points.entries()) errors.push(...checkRange(`${path}[${i}].utilization`, utilization, 0, 100), ...checkRange(`${path}[${i}].score`, score, 0, 10))
  return errors
}

function checkPreemption({ minCandidateNodesPercentage, minCandidateNodesAbsolute }: Args, path: string): FieldError[] {
  const percentage = minCandidateNodesPercentage as number
  const absolute = minCandidateNodesAbsolute as number
  const errors = checkRange(`${path}.minCandidateNodesPercentage`, percentage, 0, 100)
  if (absolute < 0) errors.push(invalid(`${path}.minCandidateNodesAbsolute`, absolute, 'not in valid range [0, inf)'))
  if (percentage === 0 && absolute === 0) {
    errors.push(invalid(`${path}.minCandidateNodesPercentage`, 0, 'cannot be zero at the same time as minCandidateNodesAbsolute'))
    errors.push(invalid(`${path}.minCandidateNodesAbsolute`, 0, 'cannot be zero at the same time as minCandidateNodesPercentage'))
  }
  return errors
}

function checkFit(args: Args, path: string): FieldError[] {
  const errors = ((args['ignoredResources'] ?? []) as string[]).flatMap((name, i) => checkLabelName(`${path}.ignoredResources[${i}]`, name))
  for (const [i, group] of ((args['ignoredResourceGroups'] ?? []) as string[]).entries()) {
    const field = `${path}.ignoredResourceGroups[${i}]`
    if (group.includes('/')) errors.push(invalid(field, group, "resource group name can't contain '/'"))
    errors.push(...checkLabelName(field, group))
  }
  const { type, resources, requestedToCapacityRatio: ratio } = args['scoringStrategy'] as { type?: string; resources: Weighted[]; requestedToCapacityRatio?: { shape?: Point[] } }
  const at = `${path}.scoringStrategy`
  const types = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio']
  if (!types.includes(type ?? '')) errors.push(notSupported(`${at}.type`, type ?? '', types))
  for (const [i, { name, weight = 0 }] of resources.entries()) {
    if (weight <= 0 || weight > 100) errors.push(invalid(`${at}.resources[${i}].weight`, weight, `resource weight of ${name} not in valid range (0, 100]`))
  }
  if (type === 'RequestedToCapacityRatio') {
    if (ratio) errors.push(...checkShape(ratio.shape, `${at}.requestedToCapacityRatio.shape`))
    else errors.push(required(`${at}.requestedToCapacityRatio`, 'must be specified when type is RequestedToCapacityRatio'))
  } else if (ratio) errors.push(forbidden(`${at}.requestedToCapacityRatio`, 'must be nil when type is not RequestedToCapacityRatio'))
  return errors
}

function checkBalanced(args: Args, path: string): FieldError[] {
  const resources = args['resources'] as Weighted[]
  return resources.flatMap(({ name, weight }, i) => [
    ...(resources.findIndex((other) => other.name === name) < i ? [duplicate(`${path}.resources[${i}].name`, name)] : []),
    ...(weight === 1 ? [] : [invalid(`${path}.resources[${i}].weight`, weight, 'must be 1')]),
  ])
}

function checkSpread(args: Args, path: string): FieldError[] {
  const constraints = (args['defaultConstraints'] ?? []) as TopologySpreadConstraint[]
  const type = args['defaultingType'] as string
  const errors: FieldError[] = []
  if (type !== 'System' && type !== 'List') errors.push(notSupported(`${path}.defaultingType`, type, ['System', 'List']))
  else if (type === 'System' && constraints.length > 0) errors.push(invalid(`${path}.defaultingType`, type, 'when .defaultConstraints are not empty'))
  for (const [i, { maxSkew, topologyKey, whenUnsatisfiable, labelSelector }] of constraints.entries()) {
    const at = `${path}.defaultConstraints[${i}]`
    if (!(maxSkew > 0)) errors.push(invalid(`${at}.maxSkew`, maxSkew ?? 0, 'not in valid range (0, inf)'))
    errors.push(...(topologyKey ? checkLabelName(`${at}.topologyKey`, topologyKey) : [required(`${at}.topologyKey`, 'can not be empty')]))
    if (!whenUnsatisfiable) errors.push(required(`${at}.whenUnsatisfiable`, 'can not be empty'))
    else if (!['DoNotSchedule', 'ScheduleAnyway'].includes(whenUnsatisfiable)) errors.push(notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway']))
    if (labelSelector) errors.push(forbidden(`${at}.labelSelector`, 'constraint must not define a selector, as they deduced for each pod'))
    if (constraints.slice(0, i).some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)) errors.push(duplicate(at, `{${topologyKey}, ${whenUnsatisfiable}}`))
  }
  return errors
}

function checkTerm(term: NodeSelectorTerm | undefined, at: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [i, { key, operator, values = [] }] of (term?.matchExpressions ?? []).entries()) {
    const field = `${at}.matchExpressions[${i}]`
    errors.push(...checkLabelName(`${field}.key`, key ?? ''))
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0) errors.push(invalid(`${field}.values`, [], "for 'in', 'notin' operators, values set can't be empty"))
    else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) errors.push(invalid(`${field}.values`, values, 'values set must be empty for exists and does not exist'))
    else if ((operator === 'Gt' || operator === 'Lt') && (values.length !== 1 || !/^[+-]?\d+$/.test(values[0] ?? ''))) errors.push(invalid(`${field}.values`, values, "for 'Gt', 'Lt' operators, exactly one value is required, and it must be an integer"))
    else if (!['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'].includes(operator)) errors.push(notSupported(`${field}.operator`, operator, ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn']))
  }
  for (const [i, { key, operator, values = [] }] of (term?.matchFields ?? []).entries()) {
    const field = `${at}.matchFields[${i}]`
    if (key !== 'metadata.name') errors.push(notSupported(`${field}.key`, key, ['metadata.name']))
    if (operator !== 'In' && operator !== 'NotIn') errors.push(notSupported(`${field}.operator`, operator, ['In', 'NotIn']))
    else if (values.length !== 1) errors.push(required(`${field}.values`, 'must have one element'))
  }
  return errors
}

function checkAddedAffinity(args: Args, path: string): FieldError[] {
  const added = args['addedAffinity'] as NodeAffinity | undefined
  const hard = 'requiredDuringSchedulingIgnoredDuringExecution'
  const soft = 'preferredDuringSchedulingIgnoredDuringExecution'
  return [
    ...(added?.[hard]?.nodeSelectorTerms ?? []).flatMap((term, i) => checkTerm(term, `${path}.addedAffinity.${hard}.nodeSelectorTerms[${i}]`)),
    ...(added?.[soft] ?? []).flatMap(({ preference }, i) => checkTerm(preference, `${path}.addedAffinity.${soft}[${i}]`)),
  ]
}

function checkVolumeBinding(args: Args, path: string, gates: FeatureGates): FieldError[] {
  const seconds = args['bindTimeoutSeconds'] as number
  const errors = seconds < 0 ? [invalid(`${path}.bindTimeoutSeconds`, seconds, 'invalid BindTimeoutSeconds, should not be a negative value')] : []
  if (gates.enabled('StorageCapacityScoring')) return [...errors, ...checkShape(args['shape'] as Point[] | undefined, `${path}.shape`)]
  return args['shape'] ? [...errors, invalid(`${path}.shape`, args['shape'], 'unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring')] : errors
}

const bindsDevices = (gates: FeatureGates): boolean => gates.enabled('DRADeviceBindingConditions') && gates.enabled('DRAResourceClaimDeviceStatus')

function checkDynamicResources(args: Args, path: string, gates: FeatureGates): FieldError[] {
  const filter = args['filterTimeout'] as string | undefined
  const binding = args['bindingTimeout'] as string | undefined
  const errors: FieldError[] = []
  if (filter !== undefined && !gates.enabled('DRASchedulerFilterTimeout')) errors.push(forbidden(`${path}.filterTimeout`, 'DRASchedulingFilterTimeout feature gate is disabled'))
  else if (filter !== undefined && parseDuration(filter) < 0) errors.push(invalid(`${path}.filterTimeout`, filter, 'must be zero or positive'))
  if (binding !== undefined && !bindsDevices(gates)) errors.push(forbidden(`${path}.bindingTimeout`, 'DRADeviceBindingConditions or DRAResourceClaimDeviceStatus feature gate is disabled'))
  else if (binding !== undefined && parseDuration(binding) < 1000) errors.push(invalid(`${path}.bindingTimeout`, binding, 'must be at least 1 second'))
  return errors
}

/** By plugin. A plugin that is not here takes its args as its shape (shape.ts) lets them through. */
const rules: Readonly<Record<string, ArgsRules>> = {
  DefaultPreemption: { defaults: (args) => ({ minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100, ...args }), check: checkPreemption },
  DynamicResources: {
    defaults: (args, gates) => ({ ...(gates.enabled('DRASchedulerFilterTimeout') ? { filterTimeout: '10s' } : {}), ...(bindsDevices(gates) ? { bindingTimeout: '10m' } : {}), ...args }),
    check: checkDynamicResources,
  },
  InterPodAffinity: {
    defaults: (args) => ({ hardPodAffinityWeight: 1, ...args }),
    check: (args, path) => checkRange(`${path}.hardPodAffinityWeight`, args['hardPodAffinityWeight'] as number, 0, 100),
  },
  NodeAffinity: { defaults: (args) => args, check: checkAddedAffinity },
  NodeResourcesBalancedAllocation: { defaults: (args) => ({ ...args, resources: weighted(args['resources']) }), check: checkBalanced },
  NodeResourcesFit: {
    defaults(args) {
      const strategy = (args['scoringStrategy'] ?? { type: 'LeastAllocated' }) as Args
      return { ...args, scoringStrategy: { ...strategy, resources: weighted(strategy['resources']) } }
    },
    check: checkFit,
  },
  PodTopologySpread: { defaults: (args) => ({ ...args, defaultingType: args['defaultingType'] || 'System' }), check: checkSpread },
  VolumeBinding: {
    defaults: (args, gates) => ({ bindTimeoutSeconds: 600, ...(gates.enabled('StorageCapacityScoring') ? { shape: [{ utilization: 0, score: 10 }, { utilization: 100, score: 0 }] } : {}), ...args }),
    check: checkVolumeBinding,
  },
}

/** The plugins that have args even where a file gives none. */
export const pluginsWithArgs: readonly string[] = Object.keys(rules)

/** A plugin's args with defaults, and what is wrong with them. Their types have been checked. */
export function completeArgs(plugin: string, given: Args, path: string, gates: FeatureGates): { args: Args; errors: FieldError[] } {
  const rule = rules[plugin]
  const present = Object.fromEntries(Object.entries(given).filter(([name, value]) => value !== null && name !== 'apiVersion' && name !== 'kind'))
  const args = rule?.defaults(present, gates) ?? present
  return { args, errors: rule?.check?.(args, path, gates) ?? [] }
}
