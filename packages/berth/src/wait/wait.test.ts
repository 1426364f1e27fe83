import type { Lease } from '@berth/api/types/coordination/v1'
import type { Node } from '@berth/api/types/core/v1'
import { expect, test } from 'vitest'
import { TimeoutError } from '../errors.ts'
import { poll, readyNodes } from './wait.ts'

const started = Date.parse('2026-05-01T12:00:00Z')
const node = (name: string, options: { ready?: string; taints?: string[] } = {}): Node => ({
  metadata: { name },
  spec: { taints: (options.taints ?? []).map((key) => ({ key, effect: 'NoSchedule' })) },
  status: { conditions: [{ type: 'Ready', status: options.ready ?? 'True' }] },
}) as Node
const lease = (name: string, renewTime: string): Lease => ({ metadata: { name }, spec: { renewTime } }) as Lease
const fresh = [lease('n1', '2026-05-01T12:00:01.000000Z'), lease('n2', '2026-05-01T12:00:02.500000Z')]
const starts = new Map([['n1', started], ['n2', started]])

test.each<{ given: string; nodes: Node[]; leases: Lease[]; starts: Map<string, number>; then: string[] }>([
  { given: 'nodes that are Ready and whose agents have renewed their leases', nodes: [node('n1'), node('n2')], leases: fresh, starts, then: ['n1', 'n2'] },
  { given: 'a Ready condition and a lease of an earlier life', nodes: [node('n1'), node('n2')], leases: [lease('n1', '2026-05-01T11:59:59.900000Z'), fresh[1] as Lease], starts, then: ['n2'] },
  { given: 'an agent that does not run', nodes: [node('n1'), node('n2')], leases: fresh, starts: new Map([['n1', started]]), then: ['n1'] },
  { given: 'a node without a lease', nodes: [node('n1'), node('n2')], leases: [fresh[0] as Lease], starts, then: ['n1'] },
  { given: 'a node that is not there yet', nodes: [node('n2')], leases: fresh, starts, then: ['n2'] },
  { given: 'a node that is not Ready', nodes: [node('n1', { ready: 'False' }), node('n2')], leases: fresh, starts, then: ['n2'] },
  { given: 'a node that still has the taint of not being ready', nodes: [node('n1', { taints: ['node.kubernetes.io/not-ready'] }), node('n2')], leases: fresh, starts, then: ['n2'] },
  { given: 'a node that somebody cordoned', nodes: [node('n1', { taints: ['node.kubernetes.io/unschedulable'] }), node('n2')], leases: fresh, starts, then: ['n1', 'n2'] },
])('$given: ready are $then', ({ nodes, leases, starts: at, then }) => {
  expect(readyNodes(['n1', 'n2'], nodes, leases, at)).toEqual(then)
})

const never = new AbortController().signal
const soon = (): number => Date.now() + 60

test('a failure to ask is not an answer: it is asked again', async () => {
  let asked = 0
  expect(await poll('no answer', Date.now() + 10_000, never, async () => {
    asked++
    if (asked < 3) throw new Error('connect ECONNREFUSED')
    return asked === 3 ? undefined : 'ready'
  })).toBe('ready')
  expect(asked).toBe(4)
})

test('what does not come up in time is an error that says what, and the last reason', async () => {
  const failing = poll('the API server is not ready', soon(), never, async () => { throw new Error('connect ECONNREFUSED') })
  await expect(failing).rejects.toThrow(new TimeoutError('the API server is not ready (connect ECONNREFUSED)'))
  await expect(poll('the nodes are not Ready', soon(), never, async () => undefined)).rejects.toThrow(new TimeoutError('the nodes are not Ready'))
})

test('a signal ends the wait', async () => {
  await expect(poll('no answer', Date.now() + 60_000, AbortSignal.abort(new Error('interrupted')), async () => undefined)).rejects.toThrow('interrupted')
})
