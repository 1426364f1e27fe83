import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { Cache } from '@berth/scheduler/parts'
import { expect, test } from 'vitest'
import { Extender, extenderConfigOf, NodeReader, profileOf } from '../src/core.ts'
import { filterAnswer, preemptAnswer, prioritizeAnswer } from '../src/wire/answers.ts'
import { readNodesRequest, readPreemptRequest } from '../src/wire/requests.ts'

// Exchanges from byte to byte: our own, which are here, and what a stock kube-scheduler sent (where BERTH_PARITY and BERTH_FACTS name that).

type Verb = 'filter' | 'prioritize' | 'preempt'
interface Exchange { verb: Verb; request: Record<string, unknown> & { Pod: Pod; Nodes?: { items: Node[] } | null; NodeNames?: string[] | null }; response: unknown }
interface Golden { nodes: Node[]; pods: Pod[]; plugins: Array<{ name: string; weight?: number }>; exchanges: Exchange[] }

const allow = (): void => undefined

function extenderOn(nodes: readonly Node[], pods: readonly Pod[], plugins: Golden['plugins']): (verb: Verb, body: Buffer) => string {
  const cache = new Cache()
  for (const node of nodes) cache.apply({ type: 'node-set', node })
  for (const pod of pods) cache.apply({ type: 'pod-set', pod })
  const extender = new Extender({ cache, profile: profileOf(extenderConfigOf({ serving: { address: '127.0.0.1' }, plugins }), () => cache), synced: () => true })
  const reader = new NodeReader()
  return (verb, body) => {
    if (verb === 'preempt') return preemptAnswer(extender.preempt(readPreemptRequest(body), allow)).toString()
    const request = readNodesRequest(body, reader)
    return verb === 'filter' ? Buffer.concat(filterAnswer(request, extender.filter(request, allow))).toString() : prioritizeAnswer(extender.prioritize(request, allow)).toString()
  }
}

const goldenFile = join(import.meta.dirname, 'golden/exchanges.json')

test('what the extender answers is what is written down', () => {
  const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Golden
  const answer = extenderOn(golden.nodes, golden.pods, golden.plugins)
  const answered = golden.exchanges.map((exchange) => ({ ...exchange, response: JSON.parse(answer(exchange.verb, Buffer.from(JSON.stringify(exchange.request)))) as unknown }))
  if (process.env['UPDATE_GOLDEN']) writeFileSync(goldenFile, `${JSON.stringify({ ...golden, exchanges: answered }, null, 1)}\n`)
  expect(answered).toEqual(golden.exchanges)
})

const { BERTH_PARITY: parity, BERTH_FACTS: facts } = process.env
const read = (kind: string): Exchange[] => JSON.parse(readFileSync(join(parity ?? '', `extender-${kind}.json`), 'utf8')) as Exchange[]

test.skipIf(!parity).each(['names', 'nodes'])('what kube-scheduler sent with %s is answered: with the nodes that it sent, and names that it knows', (kind) => {
  const nodes = read('nodes')[0]?.request.Nodes?.items ?? []
  const exchanges = read(kind)
  const victims = exchanges.find(({ verb }) => verb === 'preempt')?.request
  const uidsOn = Object.entries((victims?.['NodeNameToMetaVictims'] ?? victims?.['NodeNameToVictims']) as Record<string, { Pods: Array<{ UID?: string; metadata?: Pod['metadata'] }> }>)
    .flatMap(([node, { Pods }]) => Pods.map((pod) => [pod.UID ?? pod.metadata?.uid, node] as const))
  const placed: Pod[] = []
  for (const { verb, request, response } of exchanges) {
    const answer = JSON.parse(extenderOn(nodes, placed, [{ name: 'NodeResourcesFit' }])(verb, Buffer.from(JSON.stringify(request)))) as Record<string, unknown>
    if (verb === 'filter') {
      // Whoever has room by kube-scheduler has room by the same plugin here; and what comes back is what was sent.
      expect([answer['Nodes'], answer['NodeNames'], answer['Error']]).toEqual([request.Nodes ?? null, request.NodeNames ?? null, ''])
      const node = uidsOn.find(([uid]) => uid === request.Pod.metadata.uid)?.[1]
      if (node !== undefined && !placed.some(({ metadata }) => metadata.uid === request.Pod.metadata.uid)) placed.push({ ...request.Pod, spec: { ...request.Pod.spec, nodeName: node } })
    } else if (verb === 'preempt') expect(answer).toEqual(response)
    else expect((answer as unknown as Array<{ Host: string }>).map(({ Host }) => Host)).toEqual((response as Array<{ Host: string }>).map(({ Host }) => Host))
  }
})

test.skipIf(!facts)('every name in our answers is one of the protocol\'s', () => {
  const { packages } = JSON.parse(readFileSync(join(facts ?? '', 'config-types.json'), 'utf8')) as { packages: Record<string, { types: Record<string, { fields?: Record<string, unknown> }> }> }
  const fieldsOf = (type: string): string[] => Object.keys(packages['kube-scheduler/extender/v1']?.types[type]?.fields ?? {})
  const golden = JSON.parse(readFileSync(goldenFile, 'utf8')) as Golden
  const unknown = golden.exchanges.flatMap(({ verb, response }) => {
    const objects = Array.isArray(response) ? response : [response]
    const known = fieldsOf({ filter: 'ExtenderFilterResult', prioritize: 'HostPriority', preempt: 'ExtenderPreemptionResult' }[verb])
    return objects.flatMap((object) => Object.keys(object as object)).filter((name) => !known.includes(name))
  })
  expect([golden.exchanges.length > 0, unknown]).toEqual([true, []])
})

if (!parity || !facts) test('BERTH_PARITY or BERTH_FACTS is not set: nothing of a stock kube-scheduler to compare with', (context) => context.skip())
