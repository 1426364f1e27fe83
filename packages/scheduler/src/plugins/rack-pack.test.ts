import { expect, test } from 'vitest'
import { CycleState } from '../framework/cycle-state.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { clusterOf, nodeOf, podOf, verdictsOf, type GivenPod } from './placement/scores.test-support.ts'
import { rackPack } from './rack-pack.ts'

const at = (name: string, rack?: string) => nodeOf(name, rack ? { 'berth.dev/rack': rack } : {})
const nodes = [at('a1', 'r1'), at('a2', 'r1'), at('b1', 'r2'), at('lone')]
const member = (name: string, node?: string): GivenPod => ({ name, group: 'train', cpu: '1', ...(node ? { node } : {}) })
const elsewhere = "UnschedulableAndUnresolvable: node(s) were in another rack than the pod's group"
const nowhere = 'UnschedulableAndUnresolvable: node(s) were in no rack'

test.each<[string, 'Preferred' | 'Required', GivenPod[], GivenPod, Record<string, number | string>]>([
  ['the first goes to the rack where the most like it fit', 'Preferred', [], member('new'), { a1: 100, a2: 100, b1: 50, lone: 0 }],
  ['the others go where most of their group stand', 'Preferred', [member('1', 'b1')], member('new'), { a1: 50, a2: 50, b1: 100, lone: 0 }],
  ['another group does not draw', 'Preferred', [{ name: '1', node: 'b1', group: 'other' }], member('new'), { a1: 100, a2: 100, b1: 50, lone: 0 }],
  ['a controller\'s pods are a group', 'Preferred', [{ name: '1', node: 'b1', owner: 'Job/x' }], { name: 'new', owner: 'Job/x' }, { a1: 50, a2: 50, b1: 100, lone: 0 }],
  ['a pod alone is no gang', 'Required', [], { name: 'new' }, { a1: 0, a2: 0, b1: 0, lone: 0 }],
  ['required, the first takes any rack', 'Required', [], member('new'), { a1: 100, a2: 100, b1: 0, lone: nowhere }],
  ['required, the others follow it', 'Required', [member('1', 'b1')], member('new'), { a1: elsewhere, a2: elsewhere, b1: 100, lone: nowhere }],
])('%s', (_, mode, pods, pod, wanted) => {
  expect(verdictsOf(rackPack({ mode }), clusterOf(nodes, pods), pod)).toEqual(wanted)
})

test('a group whose only pod is taken away may go anywhere, and is bound again when it comes back', () => {
  const plugin = rackPack({ mode: 'Required' })
  const cluster = clusterOf(nodes, [member('1', 'b1')])
  const pod = podInfoOf(podOf(member('new')))
  const other = podInfoOf(podOf(member('1', 'b1')))
  const state = new CycleState()
  plugin.preFilter?.(state, pod, cluster)
  const [a, b] = [cluster.node('a1')!, cluster.node('b1')!]
  const seen = [plugin.filter?.(state, pod, a)?.code]
  plugin.removePod?.(state, pod, other, b)
  seen.push(plugin.filter?.(state, pod, a)?.code)
  plugin.addPod?.(state, pod, other, b)
  seen.push(plugin.filter?.(state, pod, a)?.code)
  expect(seen).toEqual(['UnschedulableAndUnresolvable', undefined, 'UnschedulableAndUnresolvable'])
})
