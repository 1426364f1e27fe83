import { expect, test } from 'vitest'
import { schedulerConfigOf } from './config.ts'

test.each<[string, Parameters<typeof schedulerConfigOf>[0], string]>([
  ['an extender', { extenders: [{}] }, 'extenders: this scheduler calls no extenders yet'],
  ['a sample of nodes', { percentageOfNodesToScore: 50 }, 'percentageOfNodesToScore: Invalid value: 50: all nodes are scored; 0 and 100 say that'],
  ['two profiles of one name', { profiles: [{}, {}] }, 'profiles: Duplicate value: "default-scheduler": two profiles have this schedulerName'],
  ['a back-off that ends before it begins', { podInitialBackoffSeconds: 5, podMaxBackoffSeconds: 2 }, 'podMaxBackoffSeconds: Invalid value: 2: must be greater than or equal to PodInitialBackoffSeconds'],
  ['an unknown plugin', { profiles: [{ plugins: { multiPoint: { disabled: [{ name: 'Nope' }] } } }] }, 'profiles[0].plugins.multiPoint.disabled[0].name: Invalid value: "Nope"'],
  ['preemption with no candidates', { profiles: [{ pluginConfig: [{ name: 'DefaultPreemption', args: { minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 0 } }] }] }, 'profiles[0].pluginConfig[0].args: Invalid value: 0: minCandidateNodesPercentage and minCandidateNodesAbsolute cannot both be zero at the same time'],
  ['wrong args', { profiles: [{ pluginConfig: [{ name: 'InterPodAffinity', args: { hardPodAffinityWeight: 'x' } }] }] }, 'profiles[0].pluginConfig[0].args.hardPodAffinityWeight'],
])('%s is refused with its path', (_, file, message) => {
  expect(() => schedulerConfigOf(file)).toThrow(message)
})

test('plugins are left out and weighed by multiPoint', () => {
  const { profiles } = schedulerConfigOf({ profiles: [{ schedulerName: 'mine', plugins: { multiPoint: { disabled: [{ name: 'ImageLocality' }], enabled: [{ name: 'NodeAffinity', weight: 7 }] } } }] })
  expect(profiles.map((p) => [p.schedulerName, [...p.disabled], p.weights])).toEqual([['mine', ['ImageLocality'], { NodeAffinity: 7 }]])
})
