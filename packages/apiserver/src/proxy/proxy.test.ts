import { expect, test } from 'vitest'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { MemoryStore } from '../test-support/memory-store.ts'
import { containerOf } from './container.ts'
import { kubeletAddress } from './node-connection.ts'
import { logQuery, streamQuery } from './options.ts'
import { parseProxyName } from './proxy-name.ts'

const pod = (containers: string[], init: string[] = [], ephemeral: string[] = []): Pod => ({
  metadata: { name: 'p', namespace: 'a' },
  spec: { containers: containers.map((name) => ({ name })), initContainers: init.map((name) => ({ name })), ephemeralContainers: ephemeral.map((name) => ({ name })) },
})

test.each<[Pod, string, string]>([
  [pod(['c']), '', 'c'],
  [pod(['c', 'd'], ['i']), 'i', 'i'],
  [pod(['c', 'd'], [], ['e']), 'e', 'e'],
  [pod(['c', 'd']), '', 'a container name must be specified for pod p, choose one of: [c d]'],
  [pod(['c', 'd'], ['i', 'j'], ['e']), '', 'a container name must be specified for pod p, choose one of: [c d] or one of the init containers: [i j] or one of the ephemeral containers: [e]'],
  [pod(['c']), 'x', 'container x is not valid for pod p'],
])('of %j, asking for "%s" gives %s', (given, asked, answer) => {
  let got: string
  try {
    got = containerOf(given, asked)
  } catch (error) {
    got = (error as Error).message
  }
  expect(got).toBe(answer)
})

test.each<[string, string]>([
  ['follow=true&tailLines=5&timestamps=1&previous=false', 'follow=true&timestamps=true&tailLines=5'],
  ['sinceSeconds=10&limitBytes=3', 'sinceSeconds=10&limitBytes=3'],
  ['stream=All', ''],
  ['tailLines=-1', 'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'],
  ['limitBytes=0', 'PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
  ['sinceSeconds=0', 'PodLogOptions "p" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0'],
  ['tailLines=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
])('the log options %s become %s', (query, answer) => {
  let got: string
  try {
    got = logQuery(new URLSearchParams(query), 'p').toString()
  } catch (error) {
    got = (error as Error).message
  }
  expect(got).toBe(answer)
})

test('exec options become the query of the kubelet', () => {
  expect(streamQuery(new URLSearchParams('stdin=true&stdout=true&tty=false&command=sh&command=-c&command=a%20b'), true).toString()).toBe('input=1&output=1&command=sh&command=-c&command=a+b')
})

test('a kubelet is reached at the first preferred address of its node, at the port that it publishes', async () => {
  const store = new MemoryStore()
  await store.create(core.nodes, { metadata: { name: 'n1' }, spec: {}, status: { addresses: [{ type: 'Hostname', address: 'n1' }, { type: 'InternalIP', address: '172.30.0.11' }], daemonEndpoints: { kubeletEndpoint: { Port: 10251 } } } })
  expect(kubeletAddress(store, 'n1', ['InternalIP', 'Hostname'])).toEqual({ host: '172.30.0.11', port: 10251 })
  expect(() => kubeletAddress(store, 'n1', ['ExternalIP'])).toThrow('no preferred addresses found; known addresses: [{Hostname n1} {InternalIP 172.30.0.11}]')
  expect(() => kubeletAddress(store, 'n2', ['InternalIP'])).toThrow('nodes "n2" not found')
})

test.each([
  ['n', { scheme: 'http', name: 'n', port: '' }], ['n:80', { scheme: 'http', name: 'n', port: '80' }], ['https:n:web', { scheme: 'https', name: 'n', port: 'web' }], ['https:n:', { scheme: 'https', name: 'n', port: '' }],
])('the proxy name %s is read', (text, name) => {
  expect(parseProxyName(text, 'pod')).toEqual(name)
})

test.each(['', ':80', 'ftp:n:21', 'https::80', 'a:b:c:d'])('the proxy name "%s" is refused', (text) => {
  expect(() => parseProxyName(text, 'service')).toThrow(`invalid service request ${JSON.stringify(text)}`)
})
