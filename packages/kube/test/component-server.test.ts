import type { TokenReview } from '@berth/api/types/authentication/v1'
import type { SubjectAccessReview } from '@berth/api/types/authorization/v1'
import { request } from 'node:https'
import { Registry, Counter } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { createCa, delegatedAuthentication, delegatedAuthorization, issueCertificate, startComponentServer, type ComponentServer, type ComponentServerOptions, type KubeClient } from '../src/index.ts'

const open: ComponentServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function start(options: Partial<ComponentServerOptions>): Promise<(path: string, headers?: Record<string, string>) => Promise<[number, string]>> {
  const server = await startComponentServer({ name: 'demo', address: '127.0.0.1', port: 0, ...options })
  open.push(server)
  return async (path, headers = {}) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers })
    return [response.status, await response.text()]
  }
}

test('health endpoints answer ok, list their checks, and leave out what is excluded', async () => {
  const get = await start({ checks: { informers: () => {} }, readyChecks: { leader: () => { throw new Error('not leading') } } })
  expect(await get('/healthz')).toEqual([200, 'ok'])
  expect(await get('/livez?verbose')).toEqual([200, '[+]ping ok\n[+]informers ok\nlivez check passed\n'])
  expect(await get('/readyz')).toEqual([500, '[+]ping ok\n[+]informers ok\n[-]leader failed: reason withheld\nreadyz check failed\n'])
  expect(await get('/readyz?verbose&exclude=leader')).toEqual([200, '[+]ping ok\n[+]informers ok\n[+]leader excluded: ok\nreadyz check passed\n'])
  expect(await get('/livez?verbose&exclude=nope')).toEqual([200, '[+]ping ok\n[+]informers ok\nwarn: some health checks cannot be excluded: no matches for "nope"\nlivez check passed\n'])
  expect(await get('/readyz/leader')).toEqual([500, 'internal server error: not leading\n'])
  expect(await get('/healthz/informers')).toEqual([200, 'ok'])
  expect((await get('/healthz/nope'))[0]).toBe(404)
})

test('metrics and configuration are served', async () => {
  const metrics = new Registry()
  new Counter({ name: 'demo_total', help: 'Demo.', registers: [metrics] }).inc(3)
  const get = await start({ metrics, config: () => ({ 'demo.config.k8s.io': { port: 1 } }) })
  expect(await get('/metrics')).toEqual([200, '# HELP demo_total Demo.\n# TYPE demo_total counter\ndemo_total 3\n'])
  expect(await get('/configz')).toEqual([200, '{"demo.config.k8s.io":{"port":1}}'])
  expect((await get('/other'))[0]).toBe(404)
})

/** An API server that knows one token, lets one user read metrics, and counts what it was asked. */
function reviewer(): { client: KubeClient; asked: string[] } {
  const asked: string[] = []
  const client = { async create(resource: { resource: string }, object: TokenReview | SubjectAccessReview) {
    asked.push(resource.resource)
    if (resource.resource === 'tokenreviews') {
      const { token } = (object as TokenReview).spec
      return { ...object, status: token === 'good' ? { authenticated: true, user: { username: 'prometheus', groups: ['system:authenticated'] } } : { authenticated: false } }
    }
    const { user, nonResourceAttributes } = (object as SubjectAccessReview).spec
    return { ...object, status: { allowed: user === 'prometheus' && nonResourceAttributes?.path === '/metrics' && nonResourceAttributes.verb === 'get' } }
  } } as unknown as KubeClient
  return { client, asked }
}

test('metrics need a user whom the API server lets read them; it is asked once for a while; health is open', async () => {
  const { client, asked } = reviewer()
  const get = await start({ authenticate: delegatedAuthentication({ client }), authorize: delegatedAuthorization({ client }), metrics: new Registry() })
  expect((await get('/healthz'))[0]).toBe(200)
  expect(asked).toEqual([])
  for (let i = 0; i < 3; i += 1) expect((await get('/metrics', { authorization: 'Bearer good' }))[0]).toBe(200)
  expect(asked).toEqual(['tokenreviews', 'subjectaccessreviews'])
  const [code, body] = await get('/metrics', { authorization: 'Bearer bad' })
  expect([code, JSON.parse(body)]).toMatchObject([401, { kind: 'Status', reason: 'Unauthorized' }])
  const [anonymousCode, anonymousBody] = await get('/metrics')
  expect([anonymousCode, JSON.parse(anonymousBody)]).toMatchObject([403, { message: 'forbidden: User "system:anonymous" cannot get path "/metrics"' }])
  expect((await get('/configz', { authorization: 'Bearer good' }))[0]).toBe(403)
})

test('over TLS, a client certificate of the right authority is a user, another one is nobody', async () => {
  const ca = await createCa('ca')
  const own = await issueCertificate(ca, { commonName: 'demo', ipAddresses: ['127.0.0.1'], usages: ['server'] })
  const users: unknown[] = []
  const server = await startComponentServer({
    name: 'demo', address: '127.0.0.1', port: 0, tls: { cert: own.certificate, key: own.key, clientCa: ca.certificate }, metrics: new Registry(),
    authenticate: delegatedAuthentication({ client: reviewer().client }),
    authorize: async ({ user }) => {
      users.push(user.name)
      return { allowed: user.groups.includes('system:masters'), reason: '' }
    },
  })
  open.push(server)
  const get = async (issuer: { certificate: string; key: string }): Promise<number> => {
    const client = await issueCertificate(issuer, { commonName: 'admin', organizations: ['system:masters'], usages: ['client'] })
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: server.port, path: '/metrics', ca: ca.certificate, cert: client.certificate, key: client.key, agent: false }, (res) => resolve(res.resume().statusCode ?? 0)).on('error', reject).end()
    })
  }
  expect(await get(ca)).toBe(200)
  expect(await get(await createCa('other'))).toBe(403)
  expect(users).toEqual(['admin', 'system:anonymous'])
})

test('without authorization only loopback addresses are served', async () => {
  await expect(startComponentServer({ name: 'demo', address: '0.0.0.0', port: 0 })).rejects.toThrow('demo: address 0.0.0.0: only loopback addresses are served without authorization')
})

test('an endpoint of the component\'s own gets method, query and body; a body beyond 3 MiB is refused', async () => {
  const server = await startComponentServer({ name: 'demo', address: '127.0.0.1', port: 0, endpoints: { '/echo': async (r) => ({ status: 201, contentType: 'text/plain', body: `${r.method} ${r.query.get('x')} ${r.body.length}` }) } })
  open.push(server)
  const ask = async (body: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}/echo?x=1`, { method: 'POST', body })
    return [response.status, await response.text()]
  }
  expect(await ask('hello')).toEqual([201, 'POST 1 5'])
  const [status, text] = await ask('x'.repeat(3 * 1024 * 1024 + 1))
  expect([status, JSON.parse(text).message]).toEqual([413, 'Request entity too large: limit is 3145728'])
})
