import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from './support/server.ts'

let it: TestServer
beforeAll(async () => { it = await startTestServer() })
afterAll(async () => { await it.stop() })

const path = '/api/v1/namespaces/default/services'
interface Written { status: number, message?: string, spec: { clusterIP?: string, type?: string, ports?: { nodePort?: number }[] }, metadata: { resourceVersion: string } }
async function write(name: string, spec: object, method = 'POST'): Promise<Written> {
  const body = { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } }
  const answer = await it.admin(method === 'POST' ? path : `${path}/${name}`, { method, body })
  return { ...answer.body as Written, status: answer.status }
}
async function addresses(): Promise<string[]> {
  return ((await it.admin('/apis/networking.k8s.io/v1/ipaddresses')).body as { items: { metadata: { name: string } }[] }).items.map((i) => i.metadata.name)
}

test('the kubernetes Service, its endpoints and the ServiceCIDR are there from the start', async () => {
  expect((await it.admin(`${path}/kubernetes`)).body).toMatchObject({ spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: it.server.port }] } })
  expect((await it.admin('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes')).body).toMatchObject({ endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }], ports: [{ port: it.server.port }] })
  expect((await it.admin('/apis/networking.k8s.io/v1/servicecidrs/kubernetes')).body).toMatchObject({ spec: { cidrs: ['10.96.0.0/16'] }, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
  expect(await addresses()).toContain('10.96.0.1')
})

test('addresses and node ports are taken once, and free again when the Service is gone', async () => {
  const first = await write('one', { type: 'NodePort', clusterIP: '10.96.7.7', ports: [{ port: 80, nodePort: 30777 }] })
  expect(first).toMatchObject({ status: 201, spec: { clusterIP: '10.96.7.7', ports: [{ nodePort: 30777 }] } })
  expect(await write('two', { clusterIP: '10.96.7.7' })).toMatchObject({ status: 422, message: 'Service "two" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: failed to allocate IP 10.96.7.7: provided IP is already allocated' })
  const before = await addresses()
  expect(await write('two', { type: 'NodePort', ports: [{ port: 80, nodePort: 30777 }] })).toMatchObject({ status: 422, message: 'Service "two" is invalid: spec.ports[0].nodePort: Invalid value: 30777: provided port is already allocated' })
  expect(await addresses()).toEqual(before)
  await it.admin(`${path}/one`, { method: 'DELETE' })
  expect(await write('two', { type: 'NodePort', clusterIP: '10.96.7.7', ports: [{ port: 80, nodePort: 30777 }] })).toMatchObject({ status: 201 })
})

test('a hundred Services that are made at once get a hundred addresses', async () => {
  const made = await Promise.all(Array.from({ length: 100 }, (_, i) => write(`many-${i}`, { type: 'NodePort' })))
  expect(new Set(made.map((s) => s.spec.clusterIP)).size).toBe(100)
  expect(new Set(made.map((s) => s.spec.ports?.[0]?.nodePort)).size).toBe(100)
})

test('a dry run and a name that is taken leave nothing behind', async () => {
  await write('taken', {})
  const before = await addresses()
  expect((await write('taken', {})).status).toBe(409)
  expect((await it.admin(`${path}?dryRun=All`, { body: { metadata: { name: 'dry' }, spec: { ports: [{ port: 80 }], type: 'NodePort' } } })).status).toBe(201)
  expect(await addresses()).toEqual(before)
})

test('a Service changes its type and back', async () => {
  const made = await write('changing', { type: 'NodePort' })
  const patch = async (spec: object): Promise<Written> => {
    const answer = await it.admin(`${path}/changing`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { spec } })
    return { ...answer.body as Written, status: answer.status }
  }
  const plain = await patch({ type: 'ClusterIP' })
  expect([plain.spec.clusterIP, plain.spec.ports?.[0]?.nodePort]).toEqual([made.spec.clusterIP, undefined])
  const external = await patch({ type: 'ExternalName', externalName: 'a.example' })
  expect([external.status, external.spec.clusterIP]).toEqual([200, undefined])
  expect(await addresses()).not.toContain(made.spec.clusterIP)
  const back = await patch({ type: 'ClusterIP', externalName: null })
  expect(back).toMatchObject({ status: 200, spec: { clusterIP: expect.stringMatching(/^10\.96\./) } })
  expect(await addresses()).toContain(back.spec.clusterIP)
})
