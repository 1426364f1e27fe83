import { fakeClock, silentLogger, type KubeClient } from '@berth/kube'
import { expect, test } from 'vitest'
import type { Change } from '../cache/changes.ts'
import { startPolls } from './polls.ts'

test('what cannot be watched is listed again and again: what is gone is told, failures change nothing, and it ends with the signal', async () => {
  const answers: Array<string[] | Error> = [['a', 'b'], new Error('metrics are not available yet'), ['b', 'c'], []]
  const clock = fakeClock()
  const told: string[] = []
  let asked = 0
  const list = ((): Promise<unknown> => {
    const answer = answers[asked++] ?? []
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ metadata: {}, items: answer.map((name) => ({ metadata: { name }, timestamp: '', window: '', usage: {} })) })
  }) as KubeClient['list']
  const change = (item: Change): void => {
    if (item.type === 'object-set') told.push(`${item.resource} ${item.object.metadata.name}`)
    if (item.type === 'object-gone') told.push(`${item.resource} ${item.key} gone`)
  }
  const abort = new AbortController()
  startPolls(['NodeName', 'RealLoad'], { RealLoad: { pollInterval: '10s' } }, change, { client: { list }, clock, logger: silentLogger() }, abort.signal)
  await clock.advance(9_999)
  expect(told.splice(0)).toEqual(['nodes.metrics.k8s.io a', 'nodes.metrics.k8s.io b'])
  await clock.advance(1)
  expect([asked, told.splice(0)]).toEqual([2, []])
  await clock.advance(10_000)
  expect(told.splice(0)).toEqual(['nodes.metrics.k8s.io a gone', 'nodes.metrics.k8s.io b', 'nodes.metrics.k8s.io c'])
  abort.abort()
  await clock.advance(60_000)
  expect([asked, clock.pending]).toEqual([3, 0])
})

test('nothing is listed for plugins that poll nothing', () => {
  let asked = 0
  const list = (() => Promise.reject(new Error(`asked ${++asked} times`))) as KubeClient['list']
  startPolls(['NodeName', 'SwarmSpread'], {}, () => undefined, { client: { list }, clock: fakeClock(), logger: silentLogger() }, new AbortController().signal)
  expect(asked).toBe(0)
})
