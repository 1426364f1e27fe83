import { createClient, createLogger, inProcessTransport, type RequestHandler, type RunningPart } from '@berth/kube'
import { encode } from 'dns-packet'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SmallApi } from '../../overlay/test/small-api.ts'
import { startDns } from '../src/index.ts'
import { askUdp, data, freePort, question } from './support.ts'

const services = '/api/v1/namespaces/kube-system/services'
const slices = '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices'
const wantedPorts = [{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 }, { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 }]

let api: SmallApi
let dns: RunningPart | undefined
let port = 0
let log: string[] = []
/** What each write was, such as `PUT kube-dns`. */
let writes: string[] = []

/** Stands between the server and the API; gives whether a request may go on. */
type Gate = (path: string) => Promise<unknown>

async function start(gate: Gate = async () => {}): Promise<RunningPart> {
  port = await freePort()
  const handler: RequestHandler = async (request) => {
    await gate(request.path)
    if (request.method !== 'GET') writes.push(`${request.method} ${request.path.split('/').at(-1)?.split('?')[0]}`)
    return api.handler(request)
  }
  const logger = createLogger({ name: 'dns', write: (line) => log.push(line) })
  dns = await startDns({
    client: createClient(inProcessTransport(handler, { name: 'test', groups: [] })), logger, worker: false, nodeName: 'a', listen: [`127.0.0.1:${port}`], upstreams: [], manageService: true, serviceIp: '10.96.0.10',
  })
  return dns
}

const service = (spec: object): void => api.put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns', namespace: 'kube-system', labels: { mine: 'yes' } }, spec } as never)
const ownSlice = (): unknown => api.get(slices, 'kube-dns-a')
const ready = { endpoints: [{ conditions: { ready: true, serving: true } }] }

beforeEach(() => {
  api = new SmallApi()
  log = []
  writes = []
  api.put('/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a', uid: 'node-uid' } })
  api.put('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } })
})
afterEach(async () => {
  await dns?.stop()
  dns = undefined
})

test('the Service and this node\'s slice are made, once', async () => {
  await start()
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject({ spec: { clusterIP: '10.96.0.10', internalTrafficPolicy: 'Local', ports: wantedPorts } })
  await expect.poll(ownSlice).toMatchObject({
    metadata: { labels: { 'kubernetes.io/service-name': 'kube-dns' }, ownerReferences: [{ kind: 'Node', name: 'a', uid: 'node-uid' }] },
    endpoints: [{ addresses: ['127.0.0.1'], nodeName: 'a', conditions: { ready: true, serving: true, terminating: false } }],
    ports: [{ name: 'dns', port, protocol: 'UDP' }, { name: 'dns-tcp', port, protocol: 'TCP' }],
  })
  await expect.poll(async () => data(await askUdp(port, encode(question('kube-dns.kube-system.svc.cluster.local'))))).toEqual(['10.96.0.10'])
  // Our own writes come back as events: they lead to no more.
  expect(writes.toSorted()).toEqual(['POST endpointslices', 'POST services'])
})

test('a slice that says something else is corrected', async () => {
  api.put(slices, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [], endpoints: [], metadata: { name: 'kube-dns-a', namespace: 'kube-system' } } as never)
  await start()
  await expect.poll(ownSlice).toMatchObject({ metadata: { labels: { 'kubernetes.io/service-name': 'kube-dns' } }, ...ready })
})

test('a deleted Service and a deleted slice come back at once', async () => {
  await start()
  await expect.poll(ownSlice).toMatchObject(ready)
  api.remove(slices, 'kube-dns-a')
  await expect.poll(ownSlice).toMatchObject(ready)
  api.remove(services, 'kube-dns')
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject({ spec: { clusterIP: '10.96.0.10' } })
})

test('a Service with another selector, other ports and another policy is corrected, now and later, and the selector\'s slices go', async () => {
  const wrong = { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], selector: { 'k8s-app': 'kube-dns' }, internalTrafficPolicy: 'Cluster', ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }], sessionAffinity: 'None' }
  service(wrong)
  const labels = { 'kubernetes.io/service-name': 'kube-dns' }
  for (const [name, manager] of [['stray', 'endpointslice-controller.k8s.io'], ['other-node', 'berth-dns']] as const) {
    api.put(slices, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [], endpoints: [], metadata: { name, namespace: 'kube-system', labels: { ...labels, 'endpointslice.kubernetes.io/managed-by': manager } } } as never)
  }
  await start()
  const right = { metadata: { labels: { mine: 'yes' } }, spec: { clusterIP: '10.96.0.10', internalTrafficPolicy: 'Local', ports: wantedPorts, sessionAffinity: 'None' } }
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject(right)
  expect(api.get(services, 'kube-dns')).not.toHaveProperty('spec.selector')
  await expect.poll(() => api.get(slices, 'stray')).toBeUndefined()
  expect(api.get(slices, 'other-node')).toBeDefined()
  service({ ...wrong, selector: undefined })
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject(right)
  expect(log.filter((line) => line.includes('cluster IP'))).toEqual([])
})

test('a Service with another cluster IP is corrected in the rest, and the log says once that the address cannot be', async () => {
  const wrong = { clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'], ports: [] }
  service(wrong)
  await start()
  const right = { spec: { clusterIP: '10.96.0.99', internalTrafficPolicy: 'Local', ports: wantedPorts } }
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject(right)
  service(wrong)
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject(right)
  await expect.poll(ownSlice).toMatchObject(ready)
  expect(log.filter((line) => line.includes('cannot be changed: delete the Service') && line.includes('10.96.0.99') && line.includes('10.96.0.10'))).toHaveLength(1)
})

test('an ExternalName of that name becomes the Service', async () => {
  service({ type: 'ExternalName', externalName: 'dns.example.com' })
  await start()
  await expect.poll(() => api.get(services, 'kube-dns')).toMatchObject({ spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', ports: wantedPorts } })
})

test('the endpoint is ready when the zone is complete, not before, and gone after the end', async () => {
  const complete = Promise.withResolvers<void>()
  api.put(slices, { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [], ...ready, metadata: { name: 'kube-dns-a', namespace: 'kube-system' } } as never)
  const running = await start((path) => (path.startsWith('/api/v1/namespaces?') ? complete.promise : Promise.resolve()))
  await expect.poll(ownSlice).toMatchObject({ endpoints: [{ conditions: { ready: false, serving: false } }] })
  expect((await askUdp(port, encode(question('kube-dns.kube-system.svc.cluster.local')))).rcode).toBe('SERVFAIL')
  complete.resolve()
  await expect.poll(ownSlice).toMatchObject(ready)
  await running.stop()
  expect(ownSlice()).toBeUndefined()
  expect(api.get(services, 'kube-dns')).toBeDefined()
})

test('an API server that does not answer does not hold the end', async () => {
  let away = false
  const running = await start((path) => (away && path.includes('kube-dns-a') ? new Promise(() => {}) : Promise.resolve()))
  await expect.poll(ownSlice).toMatchObject(ready)
  away = true
  await running.stop()
  expect(ownSlice()).toMatchObject(ready)
})
