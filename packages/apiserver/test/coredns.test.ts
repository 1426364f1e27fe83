// A stock CoreDNS on the embedded API: it reads Services, EndpointSlices, pods and namespaces with the rights of its usual ClusterRole, and follows them.
import { Resolver } from 'node:dns/promises'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram, freePort, startProgram, type Program } from './support/programs.ts'
import { startTestServer, type TestServer } from './support/server.ts'

const coredns = findProgram('coredns')
const patience = { timeout: 60_000, interval: 100 }

/** The rights that CoreDNS' own manifest gives it. */
const rules = [
  { apiGroups: [''], resources: ['endpoints', 'services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
]

describe.skipIf(coredns === undefined)('a stock CoreDNS (needs coredns)', () => {
  let under: TestServer
  let program: Program
  let ready: number
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  /** Addresses, sorted; what is wrong (NXDOMAIN is ENOTFOUND, an empty answer ENODATA) where there are none. */
  const ask = (name: string): Promise<string[] | string> => resolver.resolve4(name).then((found) => found.sort(), (error: NodeJS.ErrnoException) => error.code ?? String(error))
  const put = async (path: string, body: object, method = 'POST'): Promise<void> => {
    const { status, text } = await under.admin(path, { method, body })
    if (status >= 300) throw new Error(`${method} ${path}: ${text}`)
  }
  const slice = (service: string, name: string, addresses: Record<string, string>): object => ({
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name, labels: { 'kubernetes.io/service-name': service } }, addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: Object.entries(addresses).map(([hostname, address]) => ({ addresses: [address], hostname, conditions: { ready: true } })),
  })
  const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'

  beforeAll(async () => {
    under = await startTestServer()
    const services = '/api/v1/namespaces/default/services'
    await put('/api/v1/namespaces/default/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
    await put('/apis/rbac.authorization.k8s.io/v1/clusterroles', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'coredns' }, rules })
    await put('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'coredns' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'coredns' }, subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'coredns' }] })
    await put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { clusterIP: '10.96.7.7', ports: [{ name: 'http', port: 80 }] } })
    await put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db' }, spec: { clusterIP: 'None', ports: [{ name: 'http', port: 8080 }] } })
    await put(services, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'outside' }, spec: { type: 'ExternalName', externalName: 'example.test' } })
    await put(slices, slice('db', 'db-1', { 'db-0': '10.244.0.10', 'db-1': '10.244.0.11' }))
    const [port, metrics] = [await freePort(), await freePort()]
    ready = await freePort()
    const corefile = join(under.dir, 'Corefile')
    await writeFile(corefile, `.:${port} {
      bind 127.0.0.1
      errors
      log
      ready 127.0.0.1:${ready}
      prometheus 127.0.0.1:${metrics}
      kubernetes cluster.local in-addr.arpa {
        kubeconfig ${await under.kubeconfigFor('coredns')}
        pods verified
        ttl 0
      }
    }\n`)
    program = startProgram(coredns ?? '', ['-conf', corefile])
    resolver.setServers([`127.0.0.1:${port}`])
  })
  afterAll(async () => {
    await program?.stop()
    await under?.stop()
  })

  test('it starts, fills its caches and is refused nothing', async () => {
    // Its readiness is that its caches are filled.
    await expect.poll(() => fetch(`http://127.0.0.1:${ready}/ready`).then((answer) => answer.text(), (error: unknown) => `${String(error)}\n${program.log()}`), patience).toBe('OK')
    await expect.poll(() => program.log(), patience).toContain('CoreDNS-')
    expect(program.log()).not.toMatch(/forbidden|Failed to (list|watch)|ERROR|could not find the requested resource/)
  })

  test('a Service has its cluster address, its port a record of its own, and the address its name', async () => {
    expect(await ask('web.default.svc.cluster.local')).toEqual(['10.96.7.7'])
    expect(await resolver.resolveSrv('_http._tcp.web.default.svc.cluster.local')).toMatchObject([{ name: 'web.default.svc.cluster.local', port: 80 }])
    expect(await resolver.resolvePtr('7.7.96.10.in-addr.arpa')).toEqual(['web.default.svc.cluster.local'])
    expect(await resolver.resolveCname('outside.default.svc.cluster.local')).toEqual(['example.test'])
    expect(await ask('kubernetes.default.svc.cluster.local')).toEqual(['10.96.0.1'])
    expect(await ask('absent.default.svc.cluster.local')).toBe('ENOTFOUND')
  })

  test('a headless Service has the addresses of its EndpointSlices, each under its host\'s name and back', async () => {
    expect(await ask('db.default.svc.cluster.local')).toEqual(['10.244.0.10', '10.244.0.11'])
    expect(await ask('db-1.db.default.svc.cluster.local')).toEqual(['10.244.0.11'])
    expect((await resolver.resolveSrv('_http._tcp.db.default.svc.cluster.local')).map(({ name, port }) => `${name}:${port}`).sort()).toEqual(['db-0.db.default.svc.cluster.local:8080', 'db-1.db.default.svc.cluster.local:8080'])
    expect(await resolver.resolvePtr('10.0.244.10.in-addr.arpa')).toEqual(['db-0.db.default.svc.cluster.local'])
  })

  test('it follows what changes: endpoints, a new Service in a new namespace, one that goes', async () => {
    await put(slices, slice('db', 'db-2', { 'db-2': '10.244.0.12' }))
    await expect.poll(() => ask('db.default.svc.cluster.local'), patience).toEqual(['10.244.0.10', '10.244.0.11', '10.244.0.12'])
    await put(`${slices}/db-1`, slice('db', 'db-1', { 'db-0': '10.244.0.20' }), 'PUT')
    await expect.poll(() => ask('db.default.svc.cluster.local'), patience).toEqual(['10.244.0.12', '10.244.0.20'])
    await put('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'later' } })
    await put('/api/v1/namespaces/later/services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'new' }, spec: { clusterIP: '10.96.8.8', ports: [{ port: 80 }] } })
    await expect.poll(() => ask('new.later.svc.cluster.local'), patience).toEqual(['10.96.8.8'])
    await under.admin('/api/v1/namespaces/later/services/new', { method: 'DELETE' })
    await expect.poll(() => ask('new.later.svc.cluster.local'), patience).toBe('ENOTFOUND')
  })

  test('a pod has a name of its address while it is there', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    await put(pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
    expect(await ask('10-244-1-5.default.pod.cluster.local')).toBe('ENOTFOUND')
    const status = await under.admin(`${pods}/p/status`, { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: { status: { phase: 'Running', podIP: '10.244.1.5', podIPs: [{ ip: '10.244.1.5' }] } } })
    expect(status.status).toBe(200)
    await expect.poll(() => ask('10-244-1-5.default.pod.cluster.local'), patience).toEqual(['10.244.1.5'])
    await under.admin(`${pods}/p?gracePeriodSeconds=0`, { method: 'DELETE' })
    await expect.poll(() => ask('10-244-1-5.default.pod.cluster.local'), patience).toBe('ENOTFOUND')
  })
})
