import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSchedulerConfig } from '../../config/config.ts'
import { decidePlain } from '../../cycle/decide.ts'
import { misfitMessage } from '../../cycle/fit-error.ts'
import { podInfoOf } from '../../framework/pod-info.ts'
import { makeProfile } from '../../framework/profile.ts'
import { resourceKey } from '../../framework/resource-key.ts'
import { nodeMetrics } from '../real-load.ts'
import { clusterOf, nodeOf, podOf, type GivenPod } from './scores.test-support.ts'

const examples = join(import.meta.dirname, '../../../../../examples/scheduler')
const at = (name: string, rack: string) => nodeOf(name, { 'berth.dev/rack': rack })
const plain = [nodeOf('a'), nodeOf('b'), nodeOf('c')]
const racks = [at('a1', 'r1'), at('a2', 'r1'), at('b1', 'r2'), at('b2', 'r2')]
const web = (name: string): GivenPod => ({ name, owner: 'ReplicaSet/web-1', cpu: '100m', memory: '100Mi' })

interface Example { profile?: string; nodes: ReturnType<typeof nodeOf>[]; there?: GivenPod[]; pods: GivenPod[]; /** Where they go, one after the other. */ wanted: (string | RegExp)[]; measured?: Record<string, string> }

const table: Record<string, Example[]> = {
  'swarm-spread.yaml': [{ nodes: plain, there: [{ name: '1', node: 'a' }, { name: '2', node: 'a' }, { name: '3', node: 'b' }], pods: ['p', 'q', 'r', 's'].map(web), wanted: ['c', 'b', 'a', 'c'] }],
  'binpack.yaml': [{ nodes: plain, there: [{ name: '1', node: 'b', cpu: '1', memory: '1Gi' }], pods: ['p', 'q', 'r'].map(web), wanted: ['b', 'b', 'b'] }],
  'random.yaml': [{ nodes: plain, pods: ['p', 'q', 'r', 's', 't', 'u'].map(web), wanted: [/[abc]/, /[abc]/, /[abc]/, /[abc]/, /[abc]/, /[abc]/] }],
  'rack.yaml': [
    { profile: 'rack-spread', nodes: racks, there: [{ name: '1', node: 'a1', owner: 'ReplicaSet/web-1' }], pods: ['p', 'q', 'r'].map(web), wanted: [/b./, /a2|b./, /a2|b./] },
    { profile: 'rack-pack', nodes: racks, there: [{ name: '1', node: 'a1', cpu: '3' }], pods: ['p', 'q', 'r', 's', 't'].map((name) => ({ ...web(name), group: 'train', cpu: '2' })), wanted: [/b./, /b./, /b./, /b./, /^0\/4 nodes are available: 1 node\(s\) were in another rack than the pod's group, 3 Insufficient cpu\./] },
  ],
  'bandwidth.yaml': [{
    nodes: [nodeOf('a', {}, { 'berth.dev/link-speed': '1G' }), nodeOf('b', {}, { 'berth.dev/link-speed': '1G' })],
    pods: [...['p', 'q', 'r', 's'].map((name) => ({ ...web(name), requests: { 'berth.dev/ingress-bandwidth': '500M' } })), { ...web('t'), requests: { 'berth.dev/ingress-bandwidth': '1M' } }, web('u')],
    wanted: [/[ab]/, /[ab]/, /[ab]/, /[ab]/, /^0\/2 nodes are available: 2 Insufficient ingress bandwidth\./, /[ab]/],
  }],
  'real-load.yaml': [{ nodes: plain, there: [{ name: '1', node: 'b', cpu: '2', memory: '4Gi', startTime: '2020-01-01T00:00:00Z' }], pods: [web('p')], measured: { a: '4', b: '100m', c: '4' }, wanted: ['b'] }],
  'image-layers.yaml': [{
    nodes: [nodeOf('none'), nodeOf('whole', {}, { 'berth.dev/image-layers': '{"layers":["aaaaaaaaaaaa:900000000"],"images":{"x":"0"}}' }, { images: [{ names: ['x:latest'], sizeBytes: 900_000_000 }] }), nodeOf('base', {}, { 'berth.dev/image-layers': '{"layers":["aaaaaaaaaaaa:900000000"],"images":{}}' })],
    there: [{ name: '1', node: 'whole', cpu: '3500m', memory: '7Gi' }], pods: [web('p')], wanted: ['base'],
  }],
}

test('every example is tried', () => {
  expect(readdirSync(examples).toSorted()).toEqual(Object.keys(table).toSorted())
})

test.each(Object.entries(table).flatMap(([file, all]) => all.map((example) => [file, example.profile ?? 'default-scheduler', example] as const)))('%s: %s places pods as it promises', async (file, name, { nodes, there, pods, wanted, measured = {} }) => {
  const config = (await readSchedulerConfig(join(examples, file))).profiles.find(({ schedulerName }) => schedulerName === name)
  if (!config) throw new Error(`there is no profile ${name}`)
  const run = (): string[] => {
    const cluster = clusterOf(nodes, there)
    for (const [node, cpu] of Object.entries(measured)) cluster.apply({ type: 'object-set', resource: resourceKey(nodeMetrics), object: { metadata: { name: node }, timestamp: new Date().toISOString(), window: '10s', usage: { cpu, memory: '1Gi' } } as never })
    const profile = makeProfile(config)
    return pods.map((given) => {
      const pod = podOf(given)
      const decision = decidePlain(podInfoOf(pod), profile, cluster, () => 0)
      if (decision.node === undefined) return misfitMessage(decision.misfit)
      cluster.apply({ type: 'assume', pod: { ...pod, spec: { ...pod.spec, nodeName: decision.node } }, node: decision.node, sequence: 1 })
      return decision.node
    })
  }
  const places = run()
  expect(places).toEqual(wanted.map((each) => typeof each === 'string' ? each : expect.stringMatching(each) as unknown))
  // What is seeded, or decided by the cluster alone, comes out the same again.
  expect(run()).toEqual(places)
})
