import type { Service } from '@berth/api/types/core/v1'
import { describe, expect, it } from 'vitest'
import { fieldValue, resourceValue } from './downward.ts'
import { parseResolvConf, podDns } from './dns.ts'
import { containerEnv } from './env.ts'
import { expand } from './expansion.ts'
import { hostsFile, podHostname, utsHostname } from './host-files.ts'
import { serviceVariables } from './service-env.ts'
import { testPod } from './test-pods.ts'

describe('expansion of $(NAME)', () => {
  const lookup = (name: string): string | undefined => ({ A: '1', 'B.C': 'two' })[name]
  it.each([
    ['$(A)', '1'], ['x$(A)y$(B.C)', 'x1ytwo'], ['$(NO)', '$(NO)'], ['$$(A)', '$(A)'], ['$$$(A)', '$1'], ['$A', '$A'], ['$(A', '$(A'], ['$', '$'], ['a$', 'a$'], ['$()', '$()'],
  ])('%s becomes %s', (text, expected) => expect(expand(text, lookup)).toBe(expected))
})

describe('the environment', () => {
  const facts = { hostIps: ['192.0.2.1'], podIps: ['10.0.0.1'], nodeAllocatable: { memory: '1Gi', cpu: '4' } }
  const sources = {
    configMap: async (name: string) => (name === 'cm' ? { metadata: { name }, data: { K: 'v', 'bad key': 'x' } } : undefined),
    secret: async (name: string) => (name === 's' ? { metadata: { name }, data: { P: Buffer.from('pw').toString('base64') } } : undefined),
    serviceVariables: { SVC: 'svc' },
    downward: facts,
  }
  it('is made in order, and later wins', async () => {
    const env = await containerEnv(testPod(), {
      name: 'a', envFrom: [{ prefix: 'X_', configMapRef: { name: 'cm' } }, { secretRef: { name: 's' } }],
      env: [{ name: 'A', value: '$(SVC)-$(P)' }, { name: 'B', value: '$(A)$(LATER)' }, { name: 'LATER', value: '1' }, { name: 'P', value: 'own' }, { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'OPT', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } }],
    }, sources)
    expect(env).toEqual({ SVC: 'svc', X_K: 'v', P: 'own', A: 'svc-pw', B: 'svc-pw$(LATER)', LATER: '1', IP: '10.0.0.1' })
  })
  it.each([
    [{ envFrom: [{ configMapRef: { name: 'no' } }] }, 'configmap "no" not found'],
    [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] }, 'secret "no" not found'],
    [{ env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }] }, "couldn't find key k in ConfigMap ns/cm"],
    [{ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, "couldn't find key k in Secret ns/s"],
    [{ env: [{ name: 'A', valueFrom: { fileKeyRef: { key: 'k', path: 'p', volumeName: 'v' } } }] }, 'environment variable "A" uses fileKeyRef, which this kubelet does not serve'],
  ])('%j is refused: %s', async (spec, message) => {
    await expect(containerEnv(testPod(), { name: 'a', ...spec }, sources)).rejects.toThrow(message)
  })
  it.each([
    ["metadata.labels['a/b']", 'x'], ["metadata.annotations['n']", ''], ['metadata.labels', 'a/b="x"\nz="q\\"q"'], ['metadata.uid', 'u1'], ['status.hostIP', '192.0.2.1'],
  ])('the field %s is %s', (path, expected) => {
    expect(fieldValue(testPod({}, { labels: { z: 'q"q', 'a/b': 'x' } }), path, facts)).toBe(expected)
  })
  it.each([
    ['limits.cpu', '', '2'], ['limits.cpu', '1m', '1500'], ['requests.memory', '1Mi', '65'], ['limits.memory', '1Mi', '1024'], ['requests.ephemeral-storage', '', '0'],
  ])('the resource %s divided by %s is %s', (resource, divisor, expected) => {
    const pod = testPod({ containers: [{ name: 'a', resources: { limits: { cpu: '1500m' }, requests: { memory: '64.5Mi' } } }] })
    expect(resourceValue(pod, { resource, divisor }, 'a', facts)).toBe(expected)
  })
})

describe('Service variables', () => {
  const service = (name: string, namespace: string, clusterIP: string, ports: { name?: string; port: number; protocol?: 'TCP' | 'UDP' }[]): Service => ({ metadata: { name, namespace }, spec: { clusterIP, ports } })
  const all = [service('my-db', 'ns', '10.96.0.5', [{ name: 'sql', port: 5432 }, { port: 53, protocol: 'UDP' }]), service('headless', 'ns', 'None', [{ port: 1 }]), service('other', 'else', '10.96.0.6', [{ port: 1 }]), service('kubernetes', 'default', '10.96.0.1', [{ name: 'https', port: 443 }])]
  it('are those of the pod\'s namespace and of the API server', () => {
    const env = serviceVariables(testPod(), all)
    expect(Object.keys(env).filter((k) => k.endsWith('_SERVICE_HOST'))).toEqual(['KUBERNETES_SERVICE_HOST', 'MY_DB_SERVICE_HOST'])
    expect(env).toMatchObject({ MY_DB_SERVICE_PORT: '5432', MY_DB_SERVICE_PORT_SQL: '5432', MY_DB_PORT: 'tcp://10.96.0.5:5432', MY_DB_PORT_53_UDP: 'udp://10.96.0.5:53', MY_DB_PORT_53_UDP_PROTO: 'udp', MY_DB_PORT_5432_TCP_ADDR: '10.96.0.5' })
  })
  it('are the API server\'s alone without service links', () => {
    expect(Object.keys(serviceVariables(testPod({ enableServiceLinks: false }), all)).filter((k) => k.endsWith('_SERVICE_HOST'))).toEqual(['KUBERNETES_SERVICE_HOST'])
  })
})

describe('DNS of a pod', () => {
  const host = parseResolvConf('# x\nnameserver 9.9.9.9\nsearch example.org. corp\noptions timeout:2 rotate\n')
  const cluster = { servers: ['10.96.0.10'], domain: 'cluster.local' }
  it.each([
    ['ClusterFirst', {}, { servers: ['10.96.0.10'], searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org', 'corp'], options: ['ndots:5'] }],
    ['ClusterFirst in the host\'s network', { hostNetwork: true }, { servers: ['9.9.9.9'], searches: ['example.org', 'corp'], options: ['timeout:2', 'rotate'] }],
    ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' as const, dnsConfig: { options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] } }, { servers: ['10.96.0.10'], searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org', 'corp'], options: ['ndots:2', 'edns0'] }],
    ['None', { dnsPolicy: 'None' as const, dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a'] } }, { servers: ['1.1.1.1'], searches: ['a'], options: [] }],
    ['Default', { dnsPolicy: 'Default' as const }, { servers: ['9.9.9.9'], searches: ['example.org', 'corp'], options: ['timeout:2', 'rotate'] }],
  ])('%s', (_, spec, expected) => expect(podDns(testPod(spec), host, cluster).dns).toEqual(expected))
  it('says what it cuts off', () => {
    const { dns, problems } = podDns(testPod({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'] } }), host, cluster)
    expect(dns.servers).toHaveLength(3)
    expect(problems).toEqual(['Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3'])
  })
})

describe('names of a pod', () => {
  it('are in its hosts file, with its subdomain and its aliases', () => {
    const pod = testPod({ hostname: 'h', subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['x', 'y'] }] })
    expect(hostsFile(pod, ['10.0.0.1'], 'cluster.local', '').split('\n').slice(-5)).toEqual(['10.0.0.1\th.sub.ns.svc.cluster.local\th', '', '# Entries added by HostAliases.', '1.2.3.4\tx\ty', ''])
    expect(utsHostname({ ...pod, spec: { ...pod.spec, setHostnameAsFQDN: true } }, 'cluster.local')).toBe('h.sub.ns.svc.cluster.local')
  })
  it('are cut at 63 characters, and refused at more than 64 as a whole', () => {
    expect(podHostname(testPod({}, { name: `${'a'.repeat(62)}-bbb` }), 'c').hostname).toBe('a'.repeat(62))
    expect(() => utsHostname(testPod({ subdomain: 's'.repeat(50), setHostnameAsFQDN: true }), 'cluster.local')).toThrow(/is too long \(64 characters is the max/)
  })
})
