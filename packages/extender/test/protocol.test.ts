import { core, policy } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ask, eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster

beforeAll(async () => { cluster = await startCluster() })
afterEach(() => cluster.clear())
afterAll(() => cluster.stop())

const pod = (more: Partial<Pod['spec']> = {}, annotations: Record<string, string> = {}): Pod => ({ metadata: { name: 'new', namespace: 'default', uid: 'uid-new', annotations }, spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }], ...more } })
const bandwidth = { plugins: [{ name: 'NetworkBandwidth' }, { name: 'NodeAffinity' }] }

describe('filter', () => {
  test('sorts nodes into those that pass, those that do not now, and those that never will', async () => {
    await cluster.addNode('wide', { annotations: { 'berth.dev/link-speed': '10G' } })
    await cluster.addNode('busy', { annotations: { 'berth.dev/link-speed': '1G' } })
    await cluster.addNode('narrow', { annotations: { 'berth.dev/link-speed': '100M' } })
    await cluster.addNode('silent')
    await cluster.addPod('other', { node: 'busy', annotations: { 'kubernetes.io/ingress-bandwidth': '800M' } })
    const { port } = await cluster.extender(bandwidth)
    const names = ['wide', 'busy', 'narrow', 'silent', 'unknown']
    const answer = await ask(port, '/scheduler/filter', { Pod: pod({}, { 'kubernetes.io/ingress-bandwidth': '500M' }), Nodes: null, NodeNames: names })
    expect([answer.status, answer.json]).toEqual([200, {
      Nodes: null, NodeNames: ['wide'], Error: '',
      FailedNodes: { busy: 'Insufficient ingress bandwidth', unknown: 'node(s) were not known to the extender yet' },
      FailedAndUnresolvableNodes: { narrow: 'Insufficient ingress bandwidth', silent: 'node(s) announced no ingress bandwidth' },
    }])
  })

  test('looks at whole nodes as they were sent, with the pods that it knows on them, and sends back the same bytes', async () => {
    const known = await cluster.addNode('known', { annotations: { 'berth.dev/link-speed': '1G' } })
    await cluster.addNode('changed', { annotations: { 'berth.dev/link-speed': '1G' } })
    await cluster.addPod('other', { node: 'changed', annotations: { 'kubernetes.io/ingress-bandwidth': '400M' } })
    const { port } = await cluster.extender(bandwidth)
    const sent: Node[] = [
      known,
      { metadata: { name: 'changed', uid: 'x', resourceVersion: '1', annotations: { 'berth.dev/link-speed': '800M' } }, spec: {}, status: {} },
      { metadata: { name: 'new', annotations: { 'berth.dev/link-speed': '1G' } }, spec: {}, status: { nodeInfo: undefined } },
    ]
    const answer = await ask(port, '/filter', { Pod: pod({}, { 'kubernetes.io/ingress-bandwidth': '500M' }), Nodes: { metadata: {}, items: sent }, NodeNames: null })
    expect(answer.json).toEqual({ Nodes: { metadata: {}, items: [sent[0], JSON.parse(JSON.stringify(sent[2]))] }, NodeNames: null, FailedNodes: { changed: 'Insufficient ingress bandwidth' }, FailedAndUnresolvableNodes: {}, Error: '' })
  })

  test('rejects every node for a pod that no node can take', async () => {
    await cluster.addNode('a')
    const { port } = await cluster.extender(bandwidth)
    const answer = await ask(port, '/filter', { Pod: pod({}, { 'kubernetes.io/ingress-bandwidth': 'lots' }), NodeNames: ['a'] })
    expect(answer.json['FailedAndUnresolvableNodes']).toEqual({ a: 'annotation kubernetes.io/ingress-bandwidth: "lots" is not a quantity of bits per second' })
  })
})

test('a pod that waits for its victims on a node has its share of the link there already', async () => {
  for (const name of ['a', 'b']) await cluster.addNode(name, { annotations: { 'berth.dev/link-speed': '1G' } })
  await cluster.addPod('preemptor', { annotations: { 'kubernetes.io/ingress-bandwidth': '900M' } })
  await cluster.client.patch(core.pods, 'preemptor', { type: 'merge', body: { status: { nominatedNodeName: 'a' } } }, { namespace: 'default', subresource: 'status' })
  const { port } = await cluster.extender(bandwidth)
  const answer = await ask(port, '/filter', { Pod: pod({}, { 'kubernetes.io/ingress-bandwidth': '200M' }), NodeNames: ['a', 'b'] })
  expect([answer.json['NodeNames'], answer.json['FailedNodes']]).toEqual([['b'], { a: 'Insufficient ingress bandwidth' }])
})

test('prioritize gives each node 0 to 10, the best alone at the top', async () => {
  for (const name of ['a', 'b', 'c']) await cluster.addNode(name)
  await cluster.addPod('1', { node: 'a' })
  await cluster.addPod('2', { node: 'a' })
  await cluster.addPod('3', { node: 'b' })
  const { port } = await cluster.extender({ plugins: [{ name: 'SwarmSpread' }] })
  const answer = await ask(port, '/scheduler/prioritize', { Pod: pod(), NodeNames: ['a', 'b', 'c', 'unknown'] })
  expect(answer.json).toEqual([{ Host: 'a', Score: 0 }, { Host: 'b', Score: 5 }, { Host: 'c', Score: 10 }, { Host: 'unknown', Score: 0 }])
})

describe('preempt', () => {
  const victims = (...uids: Array<string | undefined>) => ({ Pods: uids.map((UID) => ({ UID })), NumPDBViolations: 0 })
  const wants = pod({ priority: 100 }, { 'kubernetes.io/ingress-bandwidth': '800M' })

  test('keeps candidates that help, names more victims where those are not enough, and leaves out the rest', async () => {
    for (const name of ['enough', 'more', 'never']) await cluster.addNode(name, { annotations: { 'berth.dev/link-speed': name === 'never' ? '100M' : '1G' } })
    const uids: Record<string, string | undefined> = {}
    for (const [name, node, speed] of [['e', 'enough', '900M'], ['m', 'more', '100M'], ['m2', 'more', '100M'], ['m3', 'more', '500M'], ['n', 'never', '10M']] as const) {
      uids[name] = (await cluster.addPod(name, { node, annotations: { 'kubernetes.io/ingress-bandwidth': speed } })).metadata.uid
    }
    const { port } = await cluster.extender(bandwidth)
    const answer = await ask(port, '/preempt', { Pod: wants, NodeNameToVictims: null, NodeNameToMetaVictims: { enough: victims(uids['e']), more: victims(uids['m']), never: victims(uids['n']), gone: victims('x') } })
    expect(answer.json).toEqual({ NodeNameToMetaVictims: { enough: victims(uids['e']), more: { Pods: expect.arrayContaining([{ UID: uids['m'] }, { UID: uids['m3'] }]) as unknown, NumPDBViolations: 0 } } })
    expect((answer.json as { NodeNameToMetaVictims: { more: { Pods: unknown[] } } }).NodeNameToMetaVictims.more.Pods).toHaveLength(2)
  })

  test('spares pods under a disruption budget where others do, and says how many budgets it hurts', async () => {
    await cluster.client.create(policy.poddisruptionbudgets, { metadata: { name: 'kept', namespace: 'default' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } } })
    await cluster.client.patch(policy.poddisruptionbudgets, 'kept', { type: 'merge', body: { status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } } }, { namespace: 'default', subresource: 'status' })
    const uids: Record<string, string | undefined> = {}
    for (const node of ['choice', 'none']) await cluster.addNode(node, { annotations: { 'berth.dev/link-speed': '1G' } })
    for (const [name, node, app] of [['kept1', 'choice', 'kept'], ['free', 'choice', 'free'], ['kept2', 'none', 'kept']] as const) {
      uids[name] = (await cluster.addPod(name, { node, labels: { app }, annotations: { 'kubernetes.io/ingress-bandwidth': name === 'kept2' ? '900M' : '450M' } })).metadata.uid
    }
    const { port } = await cluster.extender(bandwidth)
    const half = pod({ priority: 100 }, { 'kubernetes.io/ingress-bandwidth': '500M' })
    const answer = await ask(port, '/preempt', { Pod: half, NodeNameToMetaVictims: { choice: victims(), none: victims() } })
    await cluster.client.delete(policy.poddisruptionbudgets, 'kept', { namespace: 'default' })
    expect(answer.json).toEqual({ NodeNameToMetaVictims: { choice: { Pods: [{ UID: uids['free'] }], NumPDBViolations: 0 }, none: { Pods: [{ UID: uids['kept2'] }], NumPDBViolations: 1 } } })
  })

  test('reads victims that are sent whole', async () => {
    await cluster.addNode('enough', { annotations: { 'berth.dev/link-speed': '1G' } })
    const victim = await cluster.addPod('e', { node: 'enough', annotations: { 'kubernetes.io/ingress-bandwidth': '900M' } })
    const { port } = await cluster.extender(bandwidth)
    const answer = await ask(port, '/preempt', { Pod: wants, NodeNameToVictims: { enough: { Pods: [victim], NumPDBViolations: 1 } }, NodeNameToMetaVictims: null })
    expect(answer.json).toEqual({ NodeNameToMetaVictims: { enough: { Pods: [{ UID: victim.metadata.uid }], NumPDBViolations: 1 } } })
  })
})

describe('bind', () => {
  const binding = (name: string, uid: string | undefined, node: string) => ({ PodName: name, PodNamespace: 'default', PodUID: uid, Node: node })
  const wanting = { annotations: { 'kubernetes.io/ingress-bandwidth': '600M' } }

  test('binds, and gives what it has bound to nobody else, however fast they come', async () => {
    await cluster.addNode('a', { annotations: { 'berth.dev/link-speed': '1G' } })
    const [one, two] = [await cluster.addPod('one', wanting), await cluster.addPod('two', wanting)]
    const { port } = await cluster.extender(bandwidth)
    const answers = await Promise.all([ask(port, '/bind', binding('one', one.metadata.uid, 'a')), ask(port, '/bind', binding('two', two.metadata.uid, 'a'))])
    expect(answers.map(({ json }) => json['Error']).toSorted()).toEqual(['', 'node a has no room any more: Insufficient ingress bandwidth'])
    const bound = await Promise.all([cluster.pod('one'), cluster.pod('two')])
    expect(bound.filter(({ spec }) => spec.nodeName === 'a')).toHaveLength(1)
  })

  test.each<[string, (uid: string | undefined) => ReturnType<typeof binding>, string | RegExp]>([
    ['a pod that is not there', () => binding('nobody', 'u', 'a'), 'pod default/nobody is not there'],
    ['a pod of another uid', () => binding('one', 'u', 'a'), /^pod default\/one is another one now: its uid is .*, not u$/],
    ['a node that is not there', (uid) => binding('one', uid, 'zz'), 'node zz is not known to the extender'],
  ])('says so of %s', async (_, args, error) => {
    await cluster.addNode('a')
    const { metadata: { uid } } = await cluster.addPod('one')
    const { port } = await cluster.extender(bandwidth)
    const { status, json } = await ask(port, '/bind', args(uid))
    expect([status, json['Error']]).toEqual([200, typeof error === 'string' ? error : expect.stringMatching(error)])
  })

  test('a pod that is on its node already is bound; on another one it is not', async () => {
    await cluster.addNode('a')
    const { metadata: { uid } } = await cluster.addPod('one', { node: 'a' })
    const { port } = await cluster.extender(bandwidth)
    expect((await ask(port, '/bind', binding('one', uid, 'a'))).json).toEqual({ Error: '' })
    await cluster.addNode('b')
    const moved = await eventually('b is known', () => ask(port, '/bind', binding('one', uid, 'b')), ({ json }) => !String(json['Error']).includes('not known'))
    expect(moved.json).toEqual({ Error: 'pod default/one is on node a already' })
  })

  test('a binding whose answer gets lost is one', async () => {
    await cluster.addNode('a')
    const { metadata: { uid } } = await cluster.addPod('one')
    const { port } = await cluster.extender(bandwidth, (client) => ({ ...client, createSubresource: async (...given) => {
      await client.createSubresource(...given)
      throw new Error('the connection is gone')
    } }))
    expect((await ask(port, '/bind', binding('one', uid, 'a'))).json).toEqual({ Error: '' })
    expect((await cluster.pod('one')).spec.nodeName).toBe('a')
  })
})
