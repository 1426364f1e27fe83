// The plugin that docs/writing-a-scheduler-plugin.md makes.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { nodeGeneration } from '../../test/examples/node-generation.ts'
import { Cache } from '../cache/cache.ts'
import { decidePlain } from '../cycle/decide.ts'
import { misfitMessage } from '../cycle/fit-error.ts'
import { Engine } from '../engine/index.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { makeProfile, type Profile } from '../framework/profile.ts'
import { isHelpedBy } from '../queue/hints.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const base = makeProfile({ schedulerName: 's' })
const plugin = nodeGeneration()
const profile: Profile = { ...base, plugins: [...base.plugins, plugin], weights: new Map([...base.weights, ['NodeGeneration', 50]]) }
const node = (name: string, generation: number): Node => ({ metadata: { name, labels: { 'example.com/generation': String(generation) } }, spec: {}, status: { allocatable: { cpu: '4', memory: '4Gi', pods: '9' } } })
const pod = (name: string, labels: Record<string, string> = {}): Pod => ({ metadata: { name, namespace: 'default', labels }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }] } })

test('the page shows the plugin as it is', () => {
  expect(read('../../../../docs/writing-a-scheduler-plugin.md')).toContain(read('../../test/examples/node-generation.ts').replaceAll('../../src/', '../'))
})

test('pods go to the newest node, and to none that is too old for them; the engine says the same as the plain path', () => {
  const cache = new Cache()
  for (const each of [node('old', 1), node('new', 3)]) cache.apply({ type: 'node-set', node: each })
  const engine = new Engine(cache, profile)
  for (const decide of [(given: Pod) => decidePlain(podInfoOf(given), profile, cache, () => 0), (given: Pod) => engine.decide(podInfoOf(given), () => 0)]) {
    expect(decide(pod('a')).node).toBe('new')
    const misfit = decide(pod('b', { 'example.com/min-generation': '4' }))
    expect(misfit.node === undefined && misfitMessage(misfit.misfit)).toContain('2 node(s) were of too old a generation')
  }
})

test('a node wakes a pod that it is new enough for', () => {
  const given = podInfoOf(pod('a', { 'example.com/min-generation': '2' }))
  expect([1, 2].map((generation) => isHelpedBy(plugin, given, 'NodeAdded', { now: node('n', generation) }))).toEqual([false, true])
})
