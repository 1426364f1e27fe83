import { expect, test } from 'vitest'
import { aggregateMessage } from '@berth/api'
import { parseConfig } from '@berth/kube'
import { makeProfile } from '../framework/profile.ts'
import { schedulerConfigOf, type ConfigFile } from './config.ts'
import { featureGates, parseFeatureGates, type FeatureGates } from './feature-gates.ts'
import { completeArgs } from './plugin-args.ts'
import { configurationShape } from './shape.ts'
import type { PluginsConfig } from './types.ts'

const withArgs = (name: string, args: Record<string, unknown>): ConfigFile => ({ profiles: [{ pluginConfig: [{ name, args }] }] })
const withPlugins = (plugins: PluginsConfig): ConfigFile => ({ profiles: [{ plugins }] })
const at = 'profiles[0].pluginConfig[0].args'
const shape = (points: unknown): ConfigFile => withArgs('NodeResourcesFit', { scoringStrategy: { type: 'RequestedToCapacityRatio', requestedToCapacityRatio: { shape: points } } })
const constraint = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }
const spread = (defaultConstraints: unknown[], defaultingType = 'List'): ConfigFile => withArgs('PodTopologySpread', { defaultingType, defaultConstraints })

test.each<[string, ConfigFile, string]>([
  ['two profiles of one name', { profiles: [{ schedulerName: 'a' }, { schedulerName: 'a' }] }, 'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"'],
  ['several profiles without names', { profiles: [{}, { schedulerName: 'a' }] }, 'profiles[0].schedulerName: Required value'],
  ['no parallelism', { parallelism: 0 }, 'parallelism: Invalid value: 0: should be an integer value greater than zero'],
  ['more nodes than there are', { percentageOfNodesToScore: 101 }, 'percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]'],
  ['fewer nodes than none, for a profile', { profiles: [{ percentageOfNodesToScore: -1 }] }, 'profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]'],
  ['no back-off', { podInitialBackoffSeconds: 0 }, 'podInitialBackoffSeconds: Invalid value: 0: must be greater than 0'],
  ['a back-off that ends before it begins', { podInitialBackoffSeconds: 5, podMaxBackoffSeconds: 2 }, 'podMaxBackoffSeconds: Invalid value: 2: must be greater than or equal to PodInitialBackoffSeconds'],
  ['a lease that ends before it is renewed', { leaderElection: { leaseDuration: '5s' } }, 'leaderElection.leaseDuration: Invalid value: "10s": LeaseDuration must be greater than RenewDeadline'],
  ['a lock that is no lease', { leaderElection: { resourceLock: 'endpoints' } }, 'leaderElection.resourceLock: Invalid value: "endpoints": resourceLock value must be "leases"'],
  ['a negative burst', { clientConnection: { burst: -1 } }, 'clientConnection.burst: Invalid value: -1: must be non-negative'],
  ['an unknown plugin', withPlugins({ multiPoint: { disabled: [{ name: 'Nope' }] } }), 'profiles[0].plugins.multiPoint.disabled[0]: Invalid value: "Nope": there is no such plugin'],
  ['a plugin of other times', withPlugins({ filter: { enabled: [{ name: 'EBSLimits' }] } }), 'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version "kubescheduler.config.k8s.io/v1"'],
  ['a plugin where it does not serve', withPlugins({ score: { enabled: [{ name: 'NodeName' }] } }), 'profiles[0].plugins.score.enabled[0]: plugin "NodeName" does not extend ScorePlugin plugin'],
  ['a plugin twice', withPlugins({ filter: { enabled: [{ name: 'NodeName' }, { name: 'NodeName' }] } }), 'profiles[0].plugins.filter.enabled: plugin "NodeName" already registered as "FilterPlugin"'],
  ['no order', withPlugins({ queueSort: { disabled: [{ name: '*' }] } }), 'profiles[0].plugins.queueSort: only one queue sort plugin required, but got 0'],
  ['nobody that binds', withPlugins({ bind: { disabled: [{ name: 'DefaultBinder' }] } }), 'profiles[0].plugins.bind: at least one bind plugin is needed'],
  ['orders that differ', { profiles: [{ schedulerName: 'a' }, { schedulerName: 'b', plugins: { queueSort: { enabled: [{ name: 'PrioritySort' }] } } }] }, 'profiles[1].plugins.queueSort: Invalid value: {"enabled":[{"name":"PrioritySort"}]}: must be the same for all profiles'],
  ['args twice', { profiles: [{ pluginConfig: [{ name: 'InterPodAffinity' }, { name: 'InterPodAffinity' }] }] }, 'profiles[0].pluginConfig[1]: Duplicate value: "InterPodAffinity"'],
  ['args of another plugin', withArgs('InterPodAffinity', { kind: 'NodeAffinityArgs', apiVersion: 'kubescheduler.config.k8s.io/v1' }), 'profiles[0].pluginConfig[0]: args for plugin InterPodAffinity were not of type InterPodAffinityArgs.kubescheduler.config.k8s.io, got NodeAffinityArgs.kubescheduler.config.k8s.io'],
  ['args for a plugin that takes none', withArgs('NodeName', {}), `${at}: Forbidden: NodeName takes no args`],
  ['args of the wrong type', withArgs('InterPodAffinity', { hardPodAffinityWeight: 'x' }), `${at}.hardPodAffinityWeight: expected an integer, got "x"`],
  ['preemption with no candidates', withArgs('DefaultPreemption', { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 }), `[${at}.minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as minCandidateNodesAbsolute, ${at}.minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage]`],
  ['too many candidates', withArgs('DefaultPreemption', { minCandidateNodesPercentage: 101 }), `${at}.minCandidateNodesPercentage: Invalid value: 101: not in valid range [0, 100]`],
  ['a weight out of range', withArgs('InterPodAffinity', { hardPodAffinityWeight: 101 }), `${at}.hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]`],
  ['a strategy that is none', withArgs('NodeResourcesFit', { scoringStrategy: { type: 'Best' } }), `${at}.scoringStrategy.type: Unsupported value: "Best": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"`],
  ['a ratio without a shape', withArgs('NodeResourcesFit', { scoringStrategy: { type: 'RequestedToCapacityRatio' } }), `${at}.scoringStrategy.requestedToCapacityRatio: Required value: must be specified when type is RequestedToCapacityRatio`],
  ['a shape without a point', shape([]), `${at}.scoringStrategy.requestedToCapacityRatio.shape: Required value: at least one point must be specified`],
  ['a shape that goes back', shape([{ utilization: 50, score: 1 }, { utilization: 20, score: 2 }]), `${at}.scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 20: values must be sorted in increasing order`],
  ['a shape beyond ten', shape([{ utilization: 0, score: 11 }]), `${at}.scoringStrategy.requestedToCapacityRatio.shape[0].score: Invalid value: 11: not in valid range [0, 10]`],
  ['a resource that weighs too much', withArgs('NodeResourcesFit', { scoringStrategy: { type: 'MostAllocated', resources: [{ name: 'cpu', weight: 101 }] } }), `${at}.scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]`],
  ['a group with a slash', withArgs('NodeResourcesFit', { ignoredResourceGroups: ['a/b'] }), `${at}.ignoredResourceGroups[0]: Invalid value: "a/b": resource group name can't contain '/'`],
  ['a balance of unequal weights', withArgs('NodeResourcesBalancedAllocation', { resources: [{ name: 'cpu', weight: 2 }] }), `${at}.resources[0].weight: Invalid value: 2: must be 1`],
  ['constraints beside the system\'s', spread([constraint], 'System'), `${at}.defaultingType: Invalid value: "System": when .defaultConstraints are not empty`],
  ['a constraint with a selector', spread([{ ...constraint, labelSelector: {} }]), `${at}.defaultConstraints[0].labelSelector: Forbidden: constraint must not define a selector, as they deduced for each pod`],
  ['a constraint twice', spread([constraint, { ...constraint, maxSkew: 2 }]), `${at}.defaultConstraints[1]: Duplicate value: "{zone, ScheduleAnyway}"`],
  ['an affinity that compares words', withArgs('NodeAffinity', { addedAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'gen', operator: 'Gt', values: ['new'] }] }] } } }), `${at}.addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Invalid value: ["new"]: for 'Gt', 'Lt' operators, exactly one value is required, and it must be an integer`],
  ['a shape for volumes whose gate is off', withArgs('VolumeBinding', { shape: [{ utilization: 0, score: 0 }] }), `${at}.shape: Invalid value: [{"utilization":0,"score":0}]: unexpected field \`shape\`, remove it or turn on the feature gate StorageCapacityScoring`],
  ['an extender without weight', { extenders: [{ urlPrefix: 'http://x', prioritizeVerb: 'p' }] }, 'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it'],
  ['two extenders that bind', { extenders: [{ urlPrefix: 'http://x', bindVerb: 'b' }, { urlPrefix: 'http://y', bindVerb: 'b' }] }, 'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind'],
  ['an extender of Kubernetes\' own resources', { extenders: [{ urlPrefix: 'http://x', managedResources: [{ name: 'kubernetes.io/x' }] }] }, 'extenders[0].managedResources[0].name: Invalid value: "kubernetes.io/x": is an invalid extended resource name'],
])('%s is refused with its path', (_, file, message) => {
  expect(() => schedulerConfigOf(file)).toThrow(message)
})

test.each([
  ['profiles:\n- plugins:\n    filters: {}', 'unknown field "profiles[0].plugins.filters"'],
  ['percentageOfNodesToScore: half', 'percentageOfNodesToScore: expected an integer, got "half"'],
  ['extenders:\n- url: http://x', 'unknown field "extenders[0].url"'],
  ['healthzBindAddress: 0.0.0.0:10251', 'unknown field "healthzBindAddress"'],
])('a file that says %j is refused', async (text, message) => {
  const file = `apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n${text}\n`
  await expect(parseConfig(file, 'f', { group: 'kubescheduler.config.k8s.io', version: 'v1', kind: 'KubeSchedulerConfiguration' }, configurationShape)).rejects.toThrow(message)
})

const pointsOf = (plugins: PluginsConfig): Record<string, string[]> => Object.fromEntries(Object.entries(makeProfile({ schedulerName: 's', plugins }).points).map(([point, list]) => [point, list.map(({ name }) => name)]))

test('a time for devices that is too short is refused, and any where its gate is off', () => {
  const errorsOf = (gates: FeatureGates): string => aggregateMessage(completeArgs('DynamicResources', { bindingTimeout: '500ms' }, 'args', gates).errors)
  expect(errorsOf(featureGates())).toBe('args.bindingTimeout: Invalid value: "500ms": must be at least 1 second')
  expect(errorsOf(featureGates({ DRADeviceBindingConditions: false }))).toBe('args.bindingTimeout: Forbidden: DRADeviceBindingConditions or DRAResourceClaimDeviceStatus feature gate is disabled')
})

test('multiPoint leaves a plugin out everywhere, and weighs one where it scores', () => {
  const profile = makeProfile({ schedulerName: 's', plugins: { multiPoint: { disabled: [{ name: 'ImageLocality' }], enabled: [{ name: 'NodeAffinity', weight: 7 }] } } })
  expect(profile.plugins.map(({ name }) => name)).not.toContain('ImageLocality')
  expect(profile.weights.get('NodeAffinity')).toBe(7)
  expect(profile.weights.get('TaintToleration')).toBe(3)
})

test('a point that disables * keeps only what it enables itself', () => {
  expect(pointsOf({ score: { disabled: [{ name: '*' }], enabled: [{ name: 'ImageLocality' }] } })['score']).toEqual(['ImageLocality'])
})

test('what a point enables goes before what multiPoint has, in the point\'s order', () => {
  const { filter = [] } = pointsOf({ filter: { enabled: [{ name: 'NodePorts' }, { name: 'NodeName' }] } })
  expect(filter.slice(0, 3)).toEqual(['NodePorts', 'NodeName', 'NodeUnschedulable'])
})

test('a plugin that a point disables serves its other points', () => {
  const profile = makeProfile({ schedulerName: 's', plugins: { score: { disabled: [{ name: 'NodeResourcesFit' }] } } })
  const fit = profile.plugins.find(({ name }) => name === 'NodeResourcesFit')
  expect([fit?.score, fit?.fast, typeof fit?.filter]).toEqual([undefined, undefined, 'function'])
})

test('a plugin\'s weight at score beats its weight at multiPoint, and no weight is one', () => {
  const { weights } = makeProfile({ schedulerName: 's', plugins: { score: { enabled: [{ name: 'NodeAffinity', weight: 9 }, { name: 'ImageLocality' }] }, multiPoint: { enabled: [{ name: 'NodeAffinity', weight: 5 }] } } })
  expect([weights.get('NodeAffinity'), weights.get('ImageLocality')]).toEqual([9, 1])
})

test('what an extender takes care of is left out of the fit', () => {
  const { profiles, extenders } = schedulerConfigOf({ extenders: [{ urlPrefix: 'http://x', managedResources: [{ name: 'a.io/x', ignoredByScheduler: true }, { name: 'a.io/y' }] }] })
  expect(profiles[0]?.args.NodeResourcesFit?.ignoredResources).toEqual(['a.io/x'])
  expect(extenders[0]?.httpTimeoutMs).toBe(5000)
})

test('the document has every default in it', () => {
  expect(schedulerConfigOf({ percentageOfNodesToScore: 30 }).document).toMatchObject({
    percentageOfNodesToScore: 30, parallelism: 16, podMaxBackoffSeconds: 10, leaderElection: { leaseDuration: '15s', resourceName: 'kube-scheduler' },
    profiles: [{ schedulerName: 'default-scheduler', pluginConfig: expect.arrayContaining([{ name: 'InterPodAffinity', args: { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'InterPodAffinityArgs', hardPodAffinityWeight: 1 } }]) }],
  })
})

test.each([
  ['NoSuchGate=true', 'unrecognized feature gate: NoSuchGate'],
  ['GangScheduling', 'missing bool value for GangScheduling'],
  ['GangScheduling=yes', 'invalid value of GangScheduling=yes, err: strconv.ParseBool: parsing "yes": invalid syntax'],
  ['WorkloadAwarePreemption=true', 'cannot set feature gate WorkloadAwarePreemption to true: this scheduler does not have the feature'],
  ['SidecarContainers=false', 'cannot set feature gate SidecarContainers to false, feature is locked to true'],
])('--feature-gates=%s is refused', (text, message) => {
  expect(() => featureGates(parseFeatureGates(text))).toThrow(message)
})

test('gates have 1.36\'s defaults; AllAlpha switches what is alpha, a gate\'s own word goes before it', () => {
  expect(featureGates().enabled('GangScheduling')).toBe(false)
  expect(featureGates().enabled('NodeDeclaredFeatures')).toBe(true)
  const all = featureGates(parseFeatureGates('AllAlpha=true, GangScheduling=false'))
  expect([all.enabled('GenericWorkload'), all.enabled('GangScheduling')]).toEqual([true, false])
})
