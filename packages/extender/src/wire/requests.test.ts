import { describe, expect, test } from 'vitest'
import { RequestError } from '../errors.ts'
import { readBindRequest, readNodesRequest as read, readPreemptRequest } from './requests.ts'
import { NodeReader, SentNode } from './sent-node.ts'

const pod = { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } }
const readNodesRequest = (bytes: Buffer, reader = new NodeReader()) => read(bytes, reader)
const body = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

describe('filter and prioritize', () => {
  test('are read with names', () => {
    expect(readNodesRequest(body({ Pod: pod, Nodes: null, NodeNames: ['a', 'b'] }))).toEqual({ pod, nodes: ['a', 'b'] })
  })

  test('are read with whole nodes, and keep their bytes', () => {
    const bytes = Buffer.from(`{"Pod":${JSON.stringify(pod)},"Nodes":{"metadata":{},"items":[{"metadata":{"name":"a","uid":"u","resourceVersion":"7"},"x": 1}, {"metadata":{"labels":{},"name":"b"}}]},"NodeNames":null}`)
    const { nodes, whole } = readNodesRequest(bytes)
    expect([whole, nodes.map((node) => node instanceof SentNode && [node.name, node.uid, node.resourceVersion, bytes.toString('utf8', node.start, node.end)])])
      .toEqual([bytes, [['a', 'u', '7', '{"metadata":{"name":"a","uid":"u","resourceVersion":"7"},"x": 1}'], ['b', '', '', '{"metadata":{"labels":{},"name":"b"}}']]])
  })

  test('a node that comes again is known by its bytes, a changed one is read anew', () => {
    const reader = new NodeReader()
    const one = { metadata: { name: 'a', uid: 'u', resourceVersion: '7' }, spec: { unschedulable: true } }
    const sent = [one, one, { ...one, spec: {} }, { ...one, metadata: { ...one.metadata, resourceVersion: '8' } }, one]
    const seen = sent.map((node) => readNodesRequest(body({ Pod: pod, Nodes: { items: [node, { metadata: { name: 'b' } }] } }), reader).nodes.map((each) => each instanceof SentNode && [each.resourceVersion, each.node]))
    expect(seen).toEqual(sent.map((node) => [[node.metadata.resourceVersion, node], ['', { metadata: { name: 'b' }, spec: {} }]]))
  })

  test('a node whose name is written with escapes is read in full', () => {
    const { nodes } = readNodesRequest(Buffer.from(`{"Pod":${JSON.stringify(pod)},"Nodes":{"items":[{"metadata":{"name":"\\u0061","uid":"u","resourceVersion":"7"}}]}}`))
    expect(nodes.map((node) => node instanceof SentNode && node.name)).toEqual(['a'])
  })

  test('names in lower case are understood, as Go understands them', () => {
    expect(readNodesRequest(body({ pod, nodenames: ['a'] })).nodes).toEqual(['a'])
  })
})

test('victims are read whole and by their UIDs', () => {
  const victims = [...readPreemptRequest(body({ Pod: pod, NodeNameToVictims: { a: { Pods: [{ metadata: { name: 'v', uid: 'u1' } }], NumPDBViolations: 1 } }, NodeNameToMetaVictims: null })).victims]
  const meta = [...readPreemptRequest(body({ Pod: pod, NodeNameToVictims: null, NodeNameToMetaVictims: { a: { Pods: [{ UID: 'u1' }], NumPDBViolations: 1 } } })).victims]
  expect([victims, meta]).toEqual([[['a', { Pods: [{ UID: 'u1' }], NumPDBViolations: 1 }]], [['a', { Pods: [{ UID: 'u1' }], NumPDBViolations: 1 }]]])
})

test.each<[string, () => unknown, string]>([
  ['no JSON', () => readNodesRequest(Buffer.from('hello')), 'the request is no JSON object: there is no object at byte 0'],
  ['no pod', () => readNodesRequest(body({ NodeNames: [] })), 'Pod: Required value'],
  ['a pod that is none', () => readNodesRequest(body({ Pod: { metadata: {} }, NodeNames: [] })), 'Pod: metadata.name and spec.containers are required'],
  ['no nodes', () => readNodesRequest(body({ Pod: pod })), 'one of Nodes and NodeNames is required'],
  ['names that are none', () => readNodesRequest(body({ Pod: pod, NodeNames: [1] })), 'NodeNames: expected a list of names'],
  ['a node without a name', () => readNodesRequest(body({ Pod: pod, Nodes: { items: [{}] } })), 'Nodes.items[0].metadata.name: Required value'],
  ['a list that breaks off', () => readNodesRequest(Buffer.from(`{"Pod":${JSON.stringify(pod)},"Nodes":{"items":[{"metadata":{"name":"a"}},]}}`)), 'the request is no JSON object: there is no value at byte'],
  ['a binding without its node', () => readBindRequest(body({ PodName: 'p', PodNamespace: 'd', PodUID: 'u' })), 'Node: Required value'],
  ['a victim without its UID', () => readPreemptRequest(body({ Pod: pod, NodeNameToMetaVictims: { a: { Pods: [{}] } } })), 'NodeNameToMetaVictims[a].Pods[0]: a pod without a UID'],
])('%s is refused with the field', (_, read, message) => {
  expect(read).toThrow(RequestError)
  expect(read).toThrow(message)
})
