import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { silentLogger } from '@berth/kube'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cache } from '../src/cache/cache.ts'
import { extenderOf } from '../src/config/extenders.ts'
import { decideWithExtenders } from '../src/extenders/decide.ts'
import { makeExtenders } from '../src/extenders/extender.ts'
import { podInfoOf } from '../src/framework/pod-info.ts'
import { makeProfile } from '../src/framework/profile.ts'

// What a stock kube-scheduler sent to an extender, with what it was answered (the variable BERTH_PARITY names where that is).

interface Exchange { verb: string; url: string; request: { Pod: Pod; Nodes: { items: Node[] } | null; NodeNames: string[] | null; NodeNameToVictims?: Record<string, { Pods: Pod[] }>; NodeNameToMetaVictims?: Record<string, { Pods: Array<{ UID: string }> }> }; response: unknown }

const parity = process.env['BERTH_PARITY']
let server: Server
let respond: (url: string, request: Exchange['request']) => unknown

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => response.end(JSON.stringify(respond(request.url ?? '', JSON.parse(Buffer.concat(chunks).toString()) as Exchange['request']))))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** A request in an order that does not depend on whose nodes come first. */
function ordered({ Pod: pod, Nodes: nodes, NodeNames: names, NodeNameToVictims: victims, NodeNameToMetaVictims: meta }: Exchange['request']): unknown {
  return {
    Pod: pod, Nodes: nodes?.items.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name)), NodeNames: names?.toSorted(),
    // What the recorder's victims went through meanwhile (conditions of an eviction) is theirs.
    victims: victims && Object.fromEntries(Object.entries(victims).map(([node, { Pods }]) => [node, Pods.map(({ metadata: { uid } }) => uid)]).toSorted()),
    meta: meta && Object.fromEntries(Object.entries(meta).toSorted()),
  }
}

test.skipIf(!parity).each(['names', 'nodes'])('we send to an extender what kube-scheduler sends, with %s, and act on its answers alike', async (kind) => {
  const exchanges = JSON.parse(readFileSync(join(parity ?? '', `extender-${kind}.json`), 'utf8')) as Exchange[]
  const first = exchanges[0]?.request
  const victims = exchanges.find(({ verb }) => verb === 'preempt')?.request
  // Where the first three were bound is seen from the victims.
  const placeOf = new Map(Object.entries(victims?.NodeNameToMetaVictims ?? {}).flatMap(([node, { Pods }]) => Pods.map(({ UID }) => [UID, node] as const)))
  for (const [node, { Pods }] of Object.entries(victims?.NodeNameToVictims ?? {})) for (const { metadata: { uid } } of Pods) placeOf.set(uid ?? '', node)
  const cache = new Cache()
  for (const node of first?.Nodes?.items ?? ['node-1', 'node-2', 'node-3', 'node-4'].map((name): Node => ({ metadata: { name }, spec: {}, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10' } } }))) cache.apply({ type: 'node-set', node })
  const { port } = server.address() as AddressInfo
  const extenders = makeExtenders([extenderOf({ urlPrefix: `http://127.0.0.1:${port}/scheduler`, filterVerb: 'filter', prioritizeVerb: 'prioritize', preemptVerb: 'preempt', weight: 1, nodeCacheCapable: kind === 'names' })])
  const profile = makeProfile({ schedulerName: 'default-scheduler' })
  const sent: unknown[] = []
  const recorded: unknown[] = []
  const chosen: Array<string | undefined> = []
  // One cycle a filter; what follows up to the next one belongs to it.
  for (let i = 0; i < exchanges.length;) {
    const pod = exchanges[i]?.request.Pod
    const cycle = [exchanges[i++]]
    while (exchanges[i] && exchanges[i]?.verb !== 'filter') cycle.push(exchanges[i++])
    if (!pod) break
    recorded.push(...cycle.map((each) => each && [each.url, ordered(each.request)]))
    const answers = [...cycle]
    respond = (url, request) => {
      sent.push([url, ordered(request)])
      return answers.shift()?.response ?? {}
    }
    const decision = await decideWithExtenders({ pod: podInfoOf(pod), profile, snapshot: cache, random: () => 0, extenders, logger: silentLogger() })
    chosen.push(decision.node === undefined ? decision.preemption?.nominatedNode : decision.node)
    // What follows shows the preemptor while its victims go; that depends on who goes when.
    if (decision.node === undefined) break
    const node = placeOf.get(pod.metadata.uid ?? '')
    if (node !== undefined) cache.apply({ type: 'pod-set', pod: { ...pod, spec: { ...pod.spec, nodeName: node } } })
  }
  for (const extender of extenders) extender.close()
  expect(sent).toEqual(recorded)
  expect([chosen[0], chosen.includes(undefined)]).toEqual(['node-1', false])
})

if (!parity) test('BERTH_PARITY names no recorded exchanges: nothing to compare with', (context) => context.skip())
