import { describe, expect, it } from 'vitest'
import { core, discovery } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import { parseApiServerFlags } from '../flags.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { serviceAddress } from './service-address.ts'

const key = { namespace: 'ns', name: 's', port: 443 }

async function addressOf(spec: Service['spec'], toEndpoints: boolean, endpoints: readonly { addresses: string[], conditions?: { ready: boolean } }[] = []): Promise<string> {
  const store = new MemoryStore()
  await store.create(core.services, { metadata: { name: 's', namespace: 'ns' }, ...(spec && { spec }) })
  await store.create(discovery.endpointslices, {
    metadata: { name: 's-1', namespace: 'ns', labels: { 'kubernetes.io/service-name': 's' } }, addressType: 'IPv4', endpoints: [...endpoints], ports: [{ name: 'https', port: 8443 }],
  })
  return serviceAddress(store, key, toEndpoints)
}

describe('where an APIService\'s server is dialled', () => {
  const ports = [{ port: 443, name: 'https' }]
  it.each([
    ['a ready endpoint', { ports }, true, [{ addresses: ['10.0.0.1'], conditions: { ready: false } }, { addresses: ['fd00::1'] }], '[fd00::1]:8443'],
    ['the cluster IP', { ports, clusterIP: '10.96.0.9' }, false, [], '10.96.0.9:443'],
    ['another name', { type: 'ExternalName', externalName: 'a.example' }, true, [], 'a.example:443'],
  ])('%s', async (_name, spec, toEndpoints, endpoints, expected) => expect(await addressOf(spec as Service['spec'], toEndpoints, endpoints)).toBe(expected))
  it.each([
    ['none is ready', { ports }, true, 'no endpoints available for service "s"'],
    ['the port is another', { ports: [{ port: 80 }] }, true, 'no service port 443 found for service "s"'],
    ['it is headless and the cluster IP is asked for', { ports, clusterIP: 'None' }, false, 'cannot route to service with ClusterIP "None"'],
  ])('nowhere where %s', async (_name, spec, toEndpoints, message) => { await expect(addressOf(spec, toEndpoints)).rejects.toThrow(message) })
  it('nowhere where there is no such Service', () => expect(() => serviceAddress(new MemoryStore(), key, true)).toThrow('service "s" not found'))
})

describe('the flags of the front proxy', () => {
  it('are kubeadm\'s where nothing is given', () => {
    expect(parseApiServerFlags([])).toMatchObject({
      requestHeaderAllowedNames: ['front-proxy-client'], requestHeaderUsernameHeaders: ['X-Remote-User'], requestHeaderGroupHeaders: ['X-Remote-Group'], requestHeaderExtraHeadersPrefix: ['X-Remote-Extra-'],
      enableAggregatorRouting: true, aggregatorRejectForwardingRedirect: true,
    })
  })
  it('are taken as they are given; another authority allows every name', () => {
    const argv = ['--requestheader-client-ca-file=/ca', '--requestheader-username-headers=X-A,X-B', '--enable-aggregator-routing=false', '--proxy-client-cert-file=/c', '--proxy-client-key-file=/k']
    expect(parseApiServerFlags(argv)).toMatchObject({ requestHeaderClientCaFile: '/ca', requestHeaderAllowedNames: [], requestHeaderUsernameHeaders: ['X-A', 'X-B'], enableAggregatorRouting: false, proxyClientCertFile: '/c', proxyClientKeyFile: '/k' })
    expect(() => parseApiServerFlags(['--proxy-client-cert-file=/c'])).toThrow('--proxy-client-cert-file and --proxy-client-key-file must be given together')
  })
})
