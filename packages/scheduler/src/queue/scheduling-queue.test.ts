import { expect, test } from 'vitest'
import type { Pod } from '@berth/api/types/core/v1'
import { fakeClock } from '@berth/kube'
import type { Plugin } from '../framework/plugin.ts'
import { podInfoOf, type PodInfo } from '../framework/pod-info.ts'
import { nodeResourcesFit } from '../plugins/node-resources-fit.ts'
import { prioritySort } from '../plugins/priority-sort.ts'
import { schedulingGates } from '../plugins/scheduling-gates.ts'
import { eventLabel } from './events.ts'
import { SchedulingQueue } from './scheduling-queue.ts'

const pod = (name: string, spec: Partial<Pod['spec']> = {}): PodInfo => podInfoOf({ metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'x' }], ...spec } })

function queueOf(popsFromBackoff = false) {
  const clock = fakeClock()
  const plugins: Plugin[] = [prioritySort(), schedulingGates(), nodeResourcesFit()]
  const sort = plugins[0]!
  const queue = new SchedulingQueue({ clock, less: (a, b) => sort.less!(a, b), pluginsOf: () => plugins, initialBackoffMs: 1000, maxBackoffMs: 10_000, maxUnschedulableMs: 300_000, popsFromBackoff, onReady: () => undefined })
  const popped = (): string[] => {
    const names: string[] = []
    for (let next = queue.pop(); next; next = queue.pop()) names.push(next.info.pod.metadata.name)
    return names
  }
  return { clock, queue, popped }
}

test('pods come out by priority, and among equals in the order in which they came', async () => {
  const { clock, queue, popped } = queueOf()
  queue.add(pod('first'))
  await clock.advance(1)
  queue.add(pod('second'))
  queue.add(pod('urgent', { priority: 100 }))
  expect(popped()).toEqual(['urgent', 'first', 'second'])
})

test('a rejected pod waits for an event that its plugin cares about, and then for its back-off', async () => {
  const { clock, queue, popped } = queueOf()
  queue.add(pod('a'))
  queue.reject(queue.pop()!, new Set(['NodeResourcesFit']))
  queue.moveOn('NodeLabelsChanged')
  expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 1, gated: 0 })
  queue.moveOn('AssignedPodDeleted')
  expect(queue.sizes).toEqual({ active: 0, backoff: 1, unschedulable: 0, gated: 0 })
  await clock.advance(999)
  queue.flush()
  expect(popped()).toEqual([])
  await clock.advance(1)
  queue.flush()
  expect(popped()).toEqual(['a'])
})

test('back-off doubles from the first attempt to the bound', async () => {
  const { clock, queue } = queueOf()
  queue.add(pod('a'))
  const waits: number[] = []
  for (let i = 0; i < 6; i++) {
    queue.retry(queue.pop()!)
    waits.push(queue.nextReadyAt! - clock.now())
    await clock.advance(10_000)
    queue.flush()
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000])
})

test('a gated pod enters when its last gate goes', () => {
  const { queue, popped } = queueOf()
  queue.add(pod('a', { schedulingGates: [{ name: 'berth.dev/wait' }] }))
  expect(queue.sizes.gated).toBe(1)
  expect(popped()).toEqual([])
  queue.update(pod('a'))
  expect(popped()).toEqual(['a'])
})

test('a pod that nothing helped is tried again after five minutes', async () => {
  const { clock, queue, popped } = queueOf()
  queue.add(pod('a'))
  queue.reject(queue.pop()!, new Set(['NodeResourcesFit']))
  await clock.advance(300_000)
  queue.flush()
  expect(popped()).toEqual(['a'])
})

test('a deleted pod is nowhere any more', () => {
  const { queue, popped } = queueOf()
  queue.add(pod('a'))
  queue.delete('default/a')
  expect(popped()).toEqual([])
  expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 0 })
})

test('a change of its status alone does not wake a pod that fits nowhere; a change of its labels does', () => {
  const { queue } = queueOf()
  queue.add(pod('a'))
  queue.reject(queue.pop()!, new Set())
  const { pod: given } = pod('a')
  queue.update(podInfoOf({ ...given, status: { conditions: [{ type: 'PodScheduled', status: 'False' }] } }))
  expect(queue.sizes.unschedulable).toBe(1)
  queue.update(podInfoOf({ ...given, metadata: { ...given.metadata, labels: { a: 'b' } } }))
  expect(queue.sizes.unschedulable).toBe(0)
})

test('a held pod is kept back, and goes on at its release if an event helped it meanwhile', async () => {
  const { clock, queue, popped } = queueOf()
  const reject = (): void => {
    queue.add(pod('a'))
    queue.reject(queue.pop()!, new Set(['NodeResourcesFit']))
    queue.hold('default/a')
  }
  reject()
  queue.release('default/a')
  expect(queue.sizes.unschedulable).toBe(1)
  reject()
  queue.moveOn('AssignedPodDeleted')
  expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 1 })
  queue.release('default/a')
  await clock.advance(1000)
  queue.flush()
  expect(popped()).toEqual(['a'])
})

test('a pod that fits nowhere is tried again at once when it is activated', () => {
  const { queue, popped } = queueOf()
  queue.add(pod('a'))
  queue.reject(queue.pop()!, new Set(['NodeResourcesFit']))
  queue.activate('default/a')
  expect(popped()).toEqual(['a'])
})

test('where nobody else is ready, a pod in back-off goes on; one that failed does not', () => {
  const { queue, popped } = queueOf(true)
  queue.add(pod('fits nowhere'))
  queue.reject(queue.pop()!, new Set(['NodeResourcesFit']))
  queue.moveOn('AssignedPodDeleted')
  queue.add(pod('ready'))
  expect(popped()).toEqual(['ready', 'fits nowhere'])
  queue.add(pod('failed'))
  queue.retry(queue.pop()!)
  expect(popped()).toEqual([])
})

test('an event that a plugin had been waiting for takes the back-off away', () => {
  const { queue, popped } = queueOf()
  queue.add(pod('a'))
  queue.reject(queue.pop()!, new Set(['NodeResourcesFit']), new Set(['NodeResourcesFit']))
  queue.moveOn('AssignedPodDeleted')
  expect(popped()).toEqual(['a'])
})

test('what happened while a pod was away is not lost when it comes back', () => {
  const { queue } = queueOf()
  queue.add(pod('a'))
  const away = queue.pop()!
  queue.depart(away.key)
  queue.moveOn('AssignedPodDeleted')
  queue.reject(away, new Set(['NodeResourcesFit']))
  expect(queue.sizes).toEqual({ active: 0, backoff: 1, unschedulable: 0, gated: 0 })
})

test('a plugin that names no events is helped by any', () => {
  const { queue, popped } = queueOf()
  queue.add(pod('a'))
  queue.reject(queue.pop()!, new Set(['PrioritySort']))
  queue.moveOn('NodeDeleted')
  expect(queue.sizes.backoff).toBe(1)
  expect(popped()).toEqual([])
})

test.each([['NodeAdded', 'NodeAdd'], ['AssignedPodDeleted', 'AssignedPodDelete'], ['ResourceClaimUpdated', 'ResourceClaimUpdate'], ['NodeTaintsChanged', 'NodeUpdateNodeTaint'], ['BackoffComplete', 'BackoffComplete']] as const)('upstream counts %s as %s', (event, label) => {
  expect(eventLabel(event)).toBe(label)
})
