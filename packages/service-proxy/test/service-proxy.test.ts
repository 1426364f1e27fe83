import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isRoot, ProxyCluster, run } from './cluster.ts'

// A first try may wait for an answer that cannot come, so there is time for several.
const eventually: typeof expect.poll = (question, options) => expect.poll(question, { timeout: 20_000, ...options })
const vip = '10.96.0.80'
const all = ['10.244.1.11', '10.244.1.12', '10.244.2.11', '10.244.2.12']
const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: { podCIDR: '10.244.1.0/24' }, status: { addresses: [{ type: 'InternalIP', address: '172.31.8.11' }] } }
const services = '/api/v1/namespaces/default/services'
const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
const from = (endpoints: string[], source: string): string[] => endpoints.map((endpoint) => `${endpoint} from ${source}`)

describe.skipIf(!isRoot)('the service proxy in real namespaces', () => {
  const cluster = new ProxyCluster()
  beforeAll(() => cluster.build())
  afterAll(() => cluster.close())
  beforeEach(async () => {
    cluster.put('/api/v1/nodes', node)
    await cluster.startProxy({ nftables: { syncPeriod: '500ms', minSyncPeriod: '10ms' } })
  })
  afterEach(async () => {
    await cluster.killProxy()
    for (const name of ['web', 'dns']) {
      cluster.remove(services, name)
      cluster.remove(slices, `${name}-1`)
    }
    cluster.nft('flush', 'ruleset')
  })

  test('a pod reaches all endpoints of a service, which see its own address', async () => {
    cluster.service('web', vip)
    cluster.endpoints('web', all)
    await eventually(() => cluster.ask('a1', vip)).toContain(' from ')
    const answers = await cluster.askMany('a1', vip, 60)
    expect(answers).toEqual(from(all, '10.244.1.11').map((answer) => (answer.startsWith('10.244.1.11 ') ? '10.244.1.11 from 172.31.8.11' : answer)).toSorted())
  })

  test('a pod reaches itself through its service, as the node', async () => {
    cluster.service('web', vip)
    cluster.endpoints('web', ['10.244.1.11'])
    await eventually(() => cluster.ask('a1', vip)).toBe('10.244.1.11 from 172.31.8.11')
  })

  test('the node itself reaches a service', async () => {
    cluster.service('web', vip)
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('a', vip)).toBe('10.244.2.11 from 172.31.8.11')
  })

  test('a node port answers from outside, from the node and from pods', async () => {
    cluster.service('web', vip, { type: 'NodePort' }, 'TCP', { nodePort: 30080 })
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('fabric', cluster.nodeAddress, 30080)).toBe('10.244.2.11 from 172.31.8.11')
    expect(await cluster.ask('a', cluster.nodeAddress, 30080)).toBe('10.244.2.11 from 172.31.8.11')
    expect(await cluster.ask('a2', cluster.nodeAddress, 30080)).toBe('10.244.2.11 from 172.31.8.11')
  })

  test('a service without endpoints, and a port that no service has, are refused at once', async () => {
    cluster.service('web', vip, { type: 'NodePort' }, 'TCP', { nodePort: 30080 })
    await eventually(() => cluster.ask('a1', vip)).toBe('refused')
    expect(await cluster.ask('a', vip)).toBe('refused')
    expect(await cluster.ask('fabric', cluster.nodeAddress, 30080)).toBe('refused')
    expect(await cluster.ask('a1', vip, 81)).toBe('refused')
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('a1', vip)).toBe('10.244.2.11 from 10.244.1.11')
    expect(await cluster.ask('a1', vip, 81)).toBe('refused')
  })

  test('a client with affinity stays, also when other endpoints go, and finds another one when its own goes', async () => {
    cluster.service('web', vip, { type: 'NodePort', sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } } }, 'TCP', { nodePort: 30080 })
    cluster.endpoints('web', all)
    await eventually(() => cluster.ask('a1', vip)).toContain(' from ')
    const [answer = ''] = await cluster.askMany('a1', vip, 20)
    const [fromNode] = await cluster.askMany('fabric', cluster.nodeAddress, 20, 30080)
    expect(await cluster.askMany('a1', vip, 20)).toEqual([answer])
    expect(await cluster.askMany('fabric', cluster.nodeAddress, 20, 30080)).toEqual([fromNode])
    const mine = answer.split(' ')[0] ?? ''
    const others = all.filter((endpoint) => endpoint !== mine)
    cluster.endpoints('web', [mine, ...others.slice(1)])
    await eventually(() => cluster.nft('list', 'map', 'ip', 'berth-proxy', 'affinity_endpoints')).not.toContain(others[0])
    expect(await cluster.askMany('a1', vip, 20)).toEqual([answer])
    cluster.endpoints('web', others.slice(1))
    await eventually(() => cluster.nft('list', 'map', 'ip', 'berth-proxy', 'affinity_endpoints')).not.toContain(mine)
    const next = await cluster.askMany('a1', vip, 20)
    expect(next).toHaveLength(1)
    expect(next[0]).not.toBe(answer)
  })

  test('affinity ends after its time', async () => {
    cluster.service('web', vip, { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } })
    cluster.endpoints('web', all)
    await eventually(() => cluster.ask('a1', vip)).toContain(' from ')
    expect(cluster.nft('list', 'map', 'ip', 'berth-proxy', 'affinity')).toContain('10.244.1.11 . 10.96.0.80 . tcp . 80')
    await eventually(() => cluster.nft('list', 'map', 'ip', 'berth-proxy', 'affinity')).not.toContain('10.244.1.11 . 10.96.0.80')
  })

  test('internalTrafficPolicy Local uses only endpoints of this node', async () => {
    cluster.service('web', vip, { internalTrafficPolicy: 'Local' })
    cluster.endpoints('web', ['10.244.1.12', '10.244.2.11'])
    await eventually(() => cluster.ask('a1', vip)).toContain(' from ')
    expect(await cluster.askMany('a1', vip, 20)).toEqual(['10.244.1.12 from 10.244.1.11'])
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('a1', vip)).toBe('timeout')
  })

  test('externalTrafficPolicy Local keeps the client address, and pods of the node still reach all', async () => {
    run(cluster.netns('fabric'), 'ip', 'route', 'replace', '10.244.1.0/24', 'via', '172.31.8.11')
    cluster.service('web', vip, { type: 'NodePort', externalTrafficPolicy: 'Local' }, 'TCP', { nodePort: 30080 })
    cluster.endpoints('web', ['10.244.1.12', '10.244.2.11'])
    await eventually(() => cluster.ask('fabric', cluster.nodeAddress, 30080)).toContain(' from ')
    expect(await cluster.askMany('fabric', cluster.nodeAddress, 20, 30080)).toEqual(['10.244.1.12 from 172.31.8.1'])
    expect(await cluster.askMany('a1', cluster.nodeAddress, 30, 30080)).toEqual(['10.244.1.12 from 10.244.1.11', '10.244.2.11 from 10.244.1.11'])
    expect(await cluster.askMany('a', cluster.nodeAddress, 30, 30080)).toEqual(['10.244.1.12 from 172.31.8.11', '10.244.2.11 from 172.31.8.11'])
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('fabric', cluster.nodeAddress, 30080)).toBe('timeout')
    expect(await cluster.ask('a1', cluster.nodeAddress, 30080)).toBe('10.244.2.11 from 10.244.1.11')
  })

  test('load balancer and external addresses answer, and source ranges are kept', async () => {
    run(cluster.netns('fabric'), 'ip', 'route', 'replace', '192.0.2.0/24', 'via', '172.31.8.11')
    const spec = { type: 'LoadBalancer', externalIPs: ['192.0.2.9'], loadBalancerSourceRanges: ['10.244.0.0/16', '10.244.1.0/24'] }
    cluster.service('web', vip, spec)
    cluster.endpoints('web', ['10.244.2.11'])
    const path = services
    cluster.put(path, {
      apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' }, status: { loadBalancer: { ingress: [{ ip: '192.0.2.10' }] } },
      spec: { ...spec, clusterIP: vip, clusterIPs: [vip], ports: [{ name: 'p', port: 80, protocol: 'TCP' }] },
    })
    await eventually(() => cluster.ask('fabric', '192.0.2.9')).toBe('10.244.2.11 from 172.31.8.11')
    expect(await cluster.ask('a1', '192.0.2.10')).toBe('10.244.2.11 from 172.31.8.11')
    expect(await cluster.ask('fabric', '192.0.2.10')).toBe('timeout')
  })

  test('a change edits elements and leaves the table in place; a restarted proxy goes on with it', async () => {
    cluster.service('web', vip)
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('a1', vip)).toBe('10.244.2.11 from 10.244.1.11')
    const handle = (): string => /table ip berth-proxy \{ # handle (\d+)/.exec(cluster.nft('-a', '-t', 'list', 'table', 'ip', 'berth-proxy'))?.[1] ?? ''
    const before = handle()
    cluster.endpoints('web', ['10.244.2.11', '10.244.2.12'])
    await eventually(() => cluster.askMany('a1', vip, 10)).toHaveLength(2)
    await cluster.killProxy()
    cluster.endpoints('web', ['10.244.1.12'])
    await cluster.startProxy()
    expect(await cluster.askMany('a1', vip, 10)).toEqual(['10.244.1.12 from 10.244.1.11'])
    expect([before !== '', handle()]).toEqual([true, before])
  })

  test.each([
    { title: 'the whole ruleset is flushed', meddle: ['flush', 'ruleset'] },
    { title: 'a chain is emptied', meddle: ['flush', 'chain', 'ip', 'berth-proxy', 'nat_prerouting'] },
    { title: 'a map is emptied', meddle: ['flush', 'map', 'ip', 'berth-proxy', 'services'] },
  ])('rules come back after $title', async ({ meddle }) => {
    cluster.service('web', vip)
    cluster.endpoints('web', ['10.244.2.11'])
    await eventually(() => cluster.ask('a1', vip)).toBe('10.244.2.11 from 10.244.1.11')
    cluster.nft(...meddle)
    await eventually(() => cluster.ask('a1', vip)).toBe('10.244.2.11 from 10.244.1.11')
    expect(cluster.nft('list', 'ruleset')).toContain('10.96.0.80 . tcp . 80 : goto outside-1')
  })

  test('a UDP client that keeps its port is led to the new endpoint when its old one goes', async () => {
    cluster.service('dns', vip, {}, 'UDP')
    cluster.endpoints('dns', ['10.244.2.11'], 'UDP')
    const program = `const s = require('dgram').createSocket('udp4'); s.bind(5555); s.on('message', (m) => console.log(String(m))); setInterval(() => s.send('x', 80, '${vip}'), 50)`
    const client = spawn('nsenter', [`--net=${cluster.netns('a1')}`, process.execPath, '-e', program], { stdio: ['ignore', 'pipe', 'ignore'] })
    let last = ''
    client.stdout.on('data', (text: Buffer) => (last = String(text).trim().split('\n').at(-1) ?? ''))
    await eventually(() => last).toBe('10.244.2.11 from 10.244.1.11')
    cluster.endpoints('dns', ['10.244.2.12'], 'UDP')
    await eventually(() => last).toBe('10.244.2.12 from 10.244.1.11')
    client.kill('SIGKILL')
    await once(client, 'exit')
  })

  test('health and metrics are served as kube-proxy serves them', async () => {
    cluster.service('web', vip, { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31999 })
    cluster.endpoints('web', ['10.244.1.12'])
    const get = (url: string): string => run(cluster.netns('a'), 'busybox', 'wget', '-q', '-O', '-', url)
    expect(JSON.parse(get('http://127.0.0.1:10256/healthz'))).toMatchObject({ nodeEligible: true })
    expect(JSON.parse(get('http://127.0.0.1:10256/livez'))).toHaveProperty('lastUpdated')
    expect(get('http://127.0.0.1:10249/proxyMode')).toBe('nftables')
    expect(get('http://127.0.0.1:10249/metrics')).toMatch(/kubeproxy_sync_proxy_rules_duration_seconds_count\{ip_family="IPv4"\} [1-9]/)
    await eventually(() => {
      try {
        return JSON.parse(get('http://127.0.0.1:31999/'))
      } catch {
        return undefined
      }
    }).toEqual({ service: { namespace: 'default', name: 'web' }, localEndpoints: 1, serviceProxyHealthy: true })
  })
})
