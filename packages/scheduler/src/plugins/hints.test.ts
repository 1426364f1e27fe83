// Which events wake a pod that a plugin rejected: upstream's isSchedulableAfter*.
import { expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { EventObjects } from '../framework/plugin.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { makeProfile } from '../framework/profile.ts'
import type { ClusterEvent } from '../queue/events.ts'
import { isHelpedBy } from '../queue/hints.ts'

const { plugins } = makeProfile({ schedulerName: 's' })
const node = (more: Partial<Node['spec']> = {}, labels: Record<string, string> = {}, allocatable: Record<string, string> = {}): Node => ({ metadata: { name: 'n', labels }, spec: more, status: { allocatable: { cpu: '2', memory: '2Gi', pods: '10', ...allocatable } } })
const pod = (spec: Partial<Pod['spec']> = {}, name = 'p'): Pod => ({ metadata: { name, namespace: 'default', uid: name }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }], ...spec } })
const taints = [{ key: 'a', effect: 'NoSchedule' as const }]
const tolerations = [{ key: 'a', operator: 'Exists' as const }]
const port = (hostPort: number): Pod => pod({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 1, hostPort }] }] }, 'other')
const asking = (cpu: string): Pod => pod({ containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }], nodeName: 'n' }, 'other')

test.each<[string, string, Pod, ClusterEvent, EventObjects, boolean]>([
  ['a node that it tolerates', 'TaintToleration', pod({ tolerations }), 'NodeAdded', { now: node({ taints }) }, true],
  ['a node that repels it', 'TaintToleration', pod(), 'NodeAdded', { now: node({ taints }) }, false],
  ['a taint that goes', 'TaintToleration', pod(), 'NodeTaintsChanged', { old: node({ taints }), now: node() }, true],
  ['a taint that never repelled it', 'TaintToleration', pod({ tolerations }), 'NodeTaintsChanged', { old: node({ taints }), now: node() }, false],
  ['a toleration of its own', 'TaintToleration', pod({ tolerations }), 'UnscheduledPodUpdated', { old: pod(), now: pod({ tolerations }) }, true],
  ['a node that is uncordoned', 'NodeUnschedulable', pod(), 'NodeTaintsChanged', { old: node({ unschedulable: true }), now: node() }, true],
  ['a node that is cordoned', 'NodeUnschedulable', pod(), 'NodeTaintsChanged', { old: node(), now: node({ unschedulable: true }) }, false],
  ['a label that it selects', 'NodeAffinity', pod({ nodeSelector: { a: 'b' } }), 'NodeLabelsChanged', { old: node(), now: node({}, { a: 'b' }) }, true],
  ['a label that it does not select', 'NodeAffinity', pod({ nodeSelector: { a: 'b' } }), 'NodeLabelsChanged', { old: node(), now: node({}, { a: 'c' }) }, false],
  ['another label of a node that had matched before', 'NodeAffinity', pod({ nodeSelector: { a: 'b' } }), 'NodeLabelsChanged', { old: node({}, { a: 'b' }), now: node({}, { a: 'b', c: 'd' }) }, false],
  ['a pod with its port that goes', 'NodePorts', port(80), 'AssignedPodDeleted', { old: port(80) }, true],
  ['a pod with another port that goes', 'NodePorts', port(80), 'AssignedPodDeleted', { old: port(81) }, false],
  ['a node that has room', 'NodeResourcesFit', pod(), 'NodeAdded', { now: node() }, true],
  ['a node that is too small', 'NodeResourcesFit', pod(), 'NodeAdded', { now: node({}, {}, { cpu: '500m' }) }, false],
  ['a node that grows enough', 'NodeResourcesFit', pod(), 'NodeAllocatableChanged', { old: node({}, {}, { cpu: '500m' }), now: node() }, true],
  ['a node that grows in what it does not ask for', 'NodeResourcesFit', pod(), 'NodeAllocatableChanged', { old: node(), now: node({}, {}, { memory: '9Gi' }) }, false],
  ['a pod that goes', 'NodeResourcesFit', pod(), 'AssignedPodDeleted', { old: asking('1') }, true],
  ['a pod that shrinks', 'NodeResourcesFit', pod(), 'AssignedPodUpdated', { old: asking('2'), now: asking('1') }, true],
  ['a pod that changes otherwise', 'NodeResourcesFit', pod(), 'AssignedPodUpdated', { old: asking('1'), now: asking('1') }, false],
  ['a pod that comes', 'NodeResourcesFit', pod(), 'AssignedPodAdded', { now: asking('1') }, false],
  ['its last gate that goes', 'SchedulingGates', pod(), 'UnscheduledPodUpdated', { old: pod({ schedulingGates: [{ name: 'a' }] }), now: pod() }, true],
  ['one gate of two', 'SchedulingGates', pod({ schedulingGates: [{ name: 'b' }] }), 'UnscheduledPodUpdated', { old: pod({ schedulingGates: [{ name: 'a' }, { name: 'b' }] }), now: pod({ schedulingGates: [{ name: 'b' }] }) }, false],
])('%s (%s)', (_, name, given, event, objects, expected) => {
  expect(isHelpedBy(plugins.find((plugin) => plugin.name === name)!, podInfoOf(given), event, objects)).toBe(expected)
})
