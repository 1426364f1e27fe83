import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { silentLogger } from '@berth/kube'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Cache } from '../src/cache/cache.ts'
import { extenderOf, type ExtenderFile } from '../src/config/extenders.ts'
import { misfitMessage } from '../src/cycle/fit-error.ts'
import { decideWithExtenders } from '../src/extenders/decide.ts'
import { makeExtenders } from '../src/extenders/extender.ts'
import { ExtenderMetrics } from '../src/extenders/metrics.ts'
import { podInfoOf } from '../src/framework/pod-info.ts'
import { makeProfile } from '../src/framework/profile.ts'

/** An extender whose answers a test writes: what each path answers, given its arguments. */
interface Args { NodeNames: string[]; Nodes: { items: Node[] } }
interface Told { status?: number; body?: string; wait?: boolean }
let server: Server
let base: string
let answers: Record<string, (args: Args) => Told | unknown>
let asked: Array<[string, Record<string, unknown>]>

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const args = JSON.parse(Buffer.concat(chunks).toString()) as Args & Record<string, unknown>
      asked.push([request.url ?? '', args])
      const answer = answers[request.url ?? '']?.(args) ?? { status: 404 }
      const told = answer as Told
      if (told.wait) return
      response.writeHead(told.status ?? 200, { 'content-type': 'application/json' })
      response.end(told.body ?? (told.status ? '' : JSON.stringify(answer)))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
beforeEach(() => {
  answers = {}
  asked = []
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const node = (name: string, cpu = '4'): Node => ({ metadata: { name, uid: `uid-${name}`, labels: { 'kubernetes.io/hostname': name } }, spec: {}, status: { allocatable: { cpu, memory: '8Gi', pods: '10' } } })
const pod = (name: string, more: Partial<Pod['spec']> = {}, requests: Record<string, string> = { cpu: '1' }): Pod => ({ metadata: { name, namespace: 'default', uid: `uid-${name}` }, spec: { containers: [{ name: 'c', image: 'x', resources: { requests } }], ...more } })
const profile = makeProfile({ schedulerName: 'default-scheduler' })

interface Outcome { node?: string; message?: string; victims?: string[]; scores?: Record<string, number>; error?: string; errors?: string[]; plugins?: string[] }

async function outcome(files: ExtenderFile[], nodes: Node[], incoming: Pod, pods: Pod[] = []): Promise<Outcome> {
  const cache = new Cache()
  for (const each of nodes) cache.apply({ type: 'node-set', node: each })
  for (const each of pods) cache.apply({ type: 'pod-set', pod: each })
  const registry = new Registry()
  const extenders = makeExtenders(files.map((file) => extenderOf({ httpTimeout: '1s', ...file })), new ExtenderMetrics(registry))
  const info = podInfoOf(incoming)
  const errors = async (): Promise<{ errors?: string[] }> => {
    const { values } = await registry.getSingleMetric('berth_scheduler_extender_errors_total')!.get()
    return values.length > 0 ? { errors: values.map(({ labels }) => `${labels['verb']}: ${labels['reason']}`) } : {}
  }
  try {
    const decision = await decideWithExtenders({ pod: info, profile, snapshot: cache, random: () => 0, extenders: extenders.filter((extender) => extender.isInterested(info)), logger: silentLogger() })
    if (decision.node !== undefined) return { node: decision.node, ...(decision.scores.length > 0 ? { scores: Object.fromEntries(decision.scores.map((s) => [s.node, s.byPlugin[files[0]?.urlPrefix ?? ''] ?? 0])) } : {}), ...await errors() }
    const victims = decision.preemption?.victims.map((victim) => victim.pod.metadata.name) ?? []
    return { message: misfitMessage(decision.misfit).replace(/ (?:no new claims to deallocate, )?preemption: 0\/.*$/, ''), plugins: [...decision.misfit.plugins].sort(), ...(victims.length > 0 ? { victims, node: decision.preemption?.nominatedNode } : {}), ...await errors() }
  } catch (error) {
    return { error: (error as Error).message.replaceAll(base, 'BASE').replaceAll(base.slice(7), 'HOST'), ...await errors() }
  } finally {
    for (const extender of extenders) extender.close()
  }
}

const nodes = [node('a'), node('b'), node('c')]
const filter = (more: ExtenderFile = {}): ExtenderFile => ({ urlPrefix: base, filterVerb: 'filter', nodeCacheCapable: true, ...more })

describe('filter', () => {
  test('gets names and the whole pod, and what it leaves is what is left', async () => {
    answers['/filter'] = () => ({ NodeNames: ['b'], FailedNodes: { a: 'full' } })
    expect(await outcome([filter()], nodes, pod('p'))).toEqual({ node: 'b' })
    expect(asked).toEqual([['/filter', { Pod: pod('p'), Nodes: null, NodeNames: ['a', 'b', 'c'] }]])
  })

  test('gets whole nodes where it keeps none itself', async () => {
    answers['/filter'] = (args) => ({ Nodes: { items: args.Nodes.items.slice(2) } })
    expect(await outcome([filter({ nodeCacheCapable: false })], nodes, pod('p'))).toEqual({ node: 'c' })
    expect(asked[0]?.[1]['Nodes']).toMatchObject({ items: nodes })
  })

  test('is asked about those nodes alone that plugins let pass', async () => {
    answers['/filter'] = (args) => ({ NodeNames: args.NodeNames })
    await outcome([filter()], [node('a', '500m'), node('b')], pod('p'))
    expect(asked.map(([, args]) => args['NodeNames'])).toEqual([['b']])
  })

  test('says why, and the reasons are counted with those of plugins; the harder verdict holds', async () => {
    answers['/filter'] = () => ({ NodeNames: [], FailedNodes: { a: 'no licence', b: 'no licence' }, FailedAndUnresolvableNodes: { b: 'wrong floor' } })
    expect(await outcome([filter()], [node('a'), node('b'), node('c', '500m')], pod('p'))).toEqual({ message: '0/3 nodes are available: 1 Insufficient cpu, 1 no licence, 1 wrong floor.', plugins: ['Extender', 'NodeResourcesFit'] })
  })

  test('the next one is asked about what the first one left, and nobody about nothing', async () => {
    answers['/filter'] = () => ({ NodeNames: ['a', 'b'] })
    answers['/x/filter'] = () => ({ NodeNames: [] })
    answers['/y/filter'] = () => ({ NodeNames: [] })
    expect(await outcome([filter(), filter({ urlPrefix: `${base}/x/` }), filter({ urlPrefix: `${base}/y` })], nodes, pod('p'))).toEqual({ message: '0/3 nodes are available:', plugins: ['Extender'] })
    expect(asked.map(([path, args]) => [path, args['NodeNames']])).toEqual([['/filter', ['a', 'b', 'c']], ['/x/filter', ['a', 'b']]])
  })

  test('those that can be ignored come last', async () => {
    answers['/filter'] = (args) => ({ NodeNames: args.NodeNames })
    answers['/x/filter'] = answers['/filter']
    await outcome([filter({ ignorable: true }), filter({ urlPrefix: `${base}/x` })], nodes, pod('p'))
    expect(asked.map(([path]) => path)).toEqual(['/x/filter', '/filter'])
  })

  test('is not asked about pods that want nothing of what it manages', async () => {
    answers['/filter'] = () => ({ NodeNames: [] })
    const gpu = filter({ managedResources: [{ name: 'example.com/gpu' }] })
    expect((await outcome([gpu], [node('a')], pod('p'))).node).toBe('a')
    const wanting = pod('p')
    wanting.spec.initContainers = [{ name: 'i', image: 'x', resources: { limits: { 'example.com/gpu': '1' } } }]
    const withGpu = node('a')
    withGpu.status!.allocatable!['example.com/gpu'] = '1'
    expect((await outcome([gpu], [withGpu], wanting)).plugins).toEqual(['Extender'])
  })
})

test.each<[string, () => unknown, ExtenderFile, string, string]>([
  ['its own error', () => ({ Error: 'the licence server is down' }), {}, 'the licence server is down', 'refused'],
  ['an unknown node', () => ({ NodeNames: ['zz'] }), {}, 'extender "BASE" claims a filtered node "zz" which is not found in the input node list', 'unknown-node'],
  ['a status that is no success', () => ({ status: 500 }), {}, 'failed filter with extender at URL BASE/filter, code 500', 'status'],
  ['no JSON', () => ({ body: 'hello' }), {}, "invalid character 'h' looking for beginning of value", 'malformed'],
  ['nothing at all', () => ({ body: '' }), {}, 'EOF', 'malformed'],
  ['a wrong type', () => ({ NodeNames: 'a' }), {}, 'json: cannot unmarshal string into Go struct field ExtenderFilterResult.NodeNames of type []string', 'malformed'],
  ['silence', () => ({ wait: true }), { httpTimeout: '50ms' }, 'Post "BASE/filter": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', 'timeout'],
])('a filter that answers %s fails the cycle, and is counted; one that can be ignored is passed over', async (_, answer, more, error, reason) => {
  answers['/filter'] = answer
  expect(await outcome([filter(more)], nodes, pod('p'))).toEqual({ error, errors: [`filter: ${reason}`] })
  expect((await outcome([filter({ ...more, ignorable: true })], nodes, pod('p'))).node).toBeDefined()
})

test('an extender that is not there fails the cycle as Go\'s client words it', async () => {
  const free = createServer()
  free.listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')
  expect(await outcome([filter({ urlPrefix: `http://127.0.0.1:${port}` })], nodes, pod('p'))).toEqual({ error: `Post "http://127.0.0.1:${port}/filter": dial tcp 127.0.0.1:${port}: connect: connection refused`, errors: ['filter: unreachable'] })
})

describe('prioritize', () => {
  const prioritize = (more: ExtenderFile = {}): ExtenderFile => ({ urlPrefix: base, prioritizeVerb: 'prioritize', weight: 1, nodeCacheCapable: true, ...more })

  test('its scores are scaled from ten to a hundred, weighted, and added', async () => {
    answers['/prioritize'] = () => [{ Host: 'a', Score: 1 }, { Host: 'b', Score: 10 }]
    expect(await outcome([prioritize({ weight: 3 })], nodes, pod('p'))).toEqual({ node: 'b', scores: { a: 30, b: 300, c: 0 } })
  })

  test('nodes that it was not asked about do not matter', async () => {
    answers['/prioritize'] = () => [{ Host: 'zz', Score: 10 }, { Host: 'b', Score: 1 }]
    expect((await outcome([prioritize()], nodes, pod('p'))).node).toBe('b')
  })

  test.each<[string, () => unknown, string]>([
    ['fails', () => ({ status: 503 }), 'status'], ['answers nonsense', () => ({ body: '{"Host":1}' }), 'malformed'], ['is silent', () => ({ wait: true }), 'timeout'],
  ])('one that %s gives nothing, and the others decide', async (_, answer, reason) => {
    answers['/prioritize'] = answer
    answers['/x/prioritize'] = () => [{ Host: 'c', Score: 10 }]
    expect(await outcome([prioritize({ httpTimeout: '50ms' }), prioritize({ urlPrefix: `${base}/x` })], nodes, pod('p'))).toEqual({ node: 'c', scores: { a: 0, b: 0, c: 0 }, errors: [`prioritize: ${reason}`] })
  })

  test('a single node is not scored', async () => {
    expect([await outcome([prioritize()], [node('a')], pod('p')), asked]).toEqual([{ node: 'a' }, []])
  })
})

describe('preempt', () => {
  const preempt = (more: ExtenderFile = {}): ExtenderFile => ({ urlPrefix: base, preemptVerb: 'preempt', nodeCacheCapable: true, ...more })
  const full = [pod('va', { nodeName: 'a', priority: 0 }, { cpu: '4' }), pod('vb', { nodeName: 'b', priority: 0 }, { cpu: '3' }), pod('vb2', { nodeName: 'b', priority: 0 }, { cpu: '1' })]
  const incoming = pod('p', { priority: 100 }, { cpu: '3' })
  const two = [node('a'), node('b')]
  const victimsOf = (uids: string[]) => ({ Pods: uids.map((UID) => ({ UID })), NumPDBViolations: 0 })

  test('gets the candidates with their victims by UID, and the choice is among those that it leaves', async () => {
    answers['/preempt'] = () => ({ NodeNameToMetaVictims: { b: victimsOf(['uid-vb']) } })
    expect(await outcome([preempt()], two, incoming, full)).toMatchObject({ node: 'b', victims: ['vb'] })
    expect(asked).toEqual([['/preempt', { Pod: incoming, NodeNameToVictims: null, NodeNameToMetaVictims: { a: victimsOf(['uid-va']), b: victimsOf(['uid-vb']) } }]])
  })

  test('gets the victims whole where it keeps no nodes', async () => {
    answers['/preempt'] = () => ({ NodeNameToMetaVictims: { a: victimsOf(['uid-va']) } })
    expect(await outcome([preempt({ nodeCacheCapable: false })], two, incoming, full)).toMatchObject({ node: 'a', victims: ['va'] })
    expect(asked[0]?.[1]['NodeNameToVictims']).toMatchObject({ a: { Pods: [full[0]] } })
  })

  test('may name other victims', async () => {
    answers['/preempt'] = () => ({ NodeNameToMetaVictims: { b: victimsOf(['uid-vb', 'uid-vb2']) } })
    expect(await outcome([preempt()], two, incoming, full)).toMatchObject({ node: 'b', victims: ['vb', 'vb2'] })
  })

  test.each<[string, unknown, string, string]>([
    ['strikes every candidate', { NodeNameToMetaVictims: {} }, '0/2 nodes are available: 2 Insufficient cpu. preemption: no candidate node for preemption', ''],
    ['names a node that is not there', { NodeNameToMetaVictims: { zz: victimsOf(['uid-va']) } }, '0/2 nodes are available: 2 Insufficient cpu. preemption: nodeinfo not found for node name "zz"', 'unknown-node'],
    ['names a pod that is not there', { NodeNameToMetaVictims: { a: victimsOf(['u']) } }, '0/2 nodes are available: 2 Insufficient cpu. preemption: extender: BASE claims to preempt pod (UID: u) on node: a, but the pod is not found on that node', 'unknown-victim'],
    ['names no victims', { NodeNameToMetaVictims: { a: victimsOf([]) } }, '0/2 nodes are available: 2 Insufficient cpu. preemption: expected at least one victim pod on node "a"', 'no-victims'],
  ])('one that %s: nobody has to go', async (_, answer, message, reason) => {
    answers['/preempt'] = () => answer
    expect(await outcome([preempt()], two, incoming, full)).toEqual({ message: message.replace('BASE', base), plugins: ['NodeResourcesFit'], ...(reason ? { errors: [`preempt: ${reason}`] } : {}) })
  })

  test('one that fails and can be ignored changes nothing', async () => {
    answers['/preempt'] = () => ({ status: 500 })
    expect(await outcome([preempt({ ignorable: true })], two, incoming, full)).toMatchObject({ victims: expect.arrayContaining([expect.any(String)]) as unknown, errors: ['preempt: status'] })
  })
})
