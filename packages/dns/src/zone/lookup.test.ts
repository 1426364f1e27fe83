import type { Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { describe, expect, test } from 'vitest'
import type { ResourceRecord } from '../wire/records.ts'
import { lookup } from './lookup.ts'
import { recordsOf } from './service-records.ts'
import { Zone } from './zone.ts'

const settings = { zone: 'cluster.local', ttl: 5, nameServer: ['10.96.0.10'] }

function service(name: string, spec: Service['spec']): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec }
}

const slice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'db-1', namespace: 'default' }, addressType: 'IPv4',
  ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }, { port: 9999, protocol: 'TCP' }],
  endpoints: [
    { addresses: ['10.244.1.5'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.2.6'], conditions: {} },
    { addresses: ['10.244.2.7'], hostname: 'db-2', conditions: { ready: false } },
  ],
}
const slice6: EndpointSlice = { ...slice, metadata: { name: 'db-2', namespace: 'default' }, addressType: 'IPv6', ports: [], endpoints: [{ addresses: ['fd00::5'], hostname: 'db-0' }] }

function zoneOf(): Zone {
  const zone = new Zone()
  zone.setNamespace('default', true)
  const put = (s: Service, ...slices: EndpointSlice[]): void => zone.setService(`default/${s.metadata.name}`, recordsOf(s, slices), 0)
  put(service('web', { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', 'fd01::1'], ports: [{ name: 'http', port: 80, protocol: 'TCP' }, { name: '', port: 81, protocol: 'TCP' }] }))
  put(service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }), slice, slice6)
  put(service('early', { clusterIP: 'None', publishNotReadyAddresses: true }), slice)
  put(service('odd', { clusterIP: 'None' }), { ...slice, endpoints: [{ addresses: ['no address', '10.244.3.3', '10.244.3'] }] })
  put(service('long', { type: 'ExternalName', externalName: `${'a'.repeat(64)}.com` }))
  put(service('number', { type: 'ExternalName', externalName: '192.0.2.1' }))
  put(service('empty', { clusterIP: 'None' }), { ...slice, endpoints: [] })
  put(service('ext', { type: 'ExternalName', externalName: 'www.example.com.' }))
  return zone
}

const text = (r: ResourceRecord): string => {
  switch (r.type) {
    case 'A': case 'AAAA': return `${r.type} ${r.address}`
    case 'CNAME': case 'NS': case 'PTR': return `${r.type} ${r.target}`
    case 'SRV': return `SRV ${r.priority} ${r.weight} ${r.port} ${r.target}`
    case 'TXT': return `TXT ${r.text}`
    case 'SOA': return `SOA ${r.mname}`
    case 'RAW': return `TYPE${r.number}`
  }
}

describe('the cluster zone', () => {
  const zone = zoneOf()
  test.each([
    { title: 'the schema version', name: 'dns-version.cluster.local', type: 'TXT', want: ['TXT 1.1.0'] },
    { title: 'a cluster IP', name: 'web.default.svc.cluster.local', type: 'A', want: ['A 10.96.0.1'] },
    { title: 'an IPv6 cluster IP', name: 'web.default.svc.cluster.local', type: 'AAAA', want: ['AAAA fd01::1'] },
    { title: 'a name in any case', name: 'WEB.Default.SVC.Cluster.Local', type: 'A', want: ['A 10.96.0.1'] },
    { title: 'a named port', name: '_http._tcp.web.default.svc.cluster.local', type: 'SRV', want: ['SRV 0 100 80 web.default.svc.cluster.local'] },
    { title: 'the ready endpoints of a headless service', name: 'db.default.svc.cluster.local', type: 'A', want: ['A 10.244.1.5', 'A 10.244.2.6'] },
    { title: 'those with IPv6', name: 'db.default.svc.cluster.local', type: 'AAAA', want: ['AAAA fd00::5'] },
    { title: 'endpoints that are not ready, where the service wants that', name: 'early.default.svc.cluster.local', type: 'A', want: ['A 10.244.1.5', 'A 10.244.2.6', 'A 10.244.2.7'] },
    { title: 'no endpoint that is no address', name: 'odd.default.svc.cluster.local', type: 'A', want: ['A 10.244.3.3'] },
    { title: 'an endpoint by hostname', name: 'db-0.db.default.svc.cluster.local', type: 'A', want: ['A 10.244.1.5'] },
    { title: 'an endpoint without hostname by its address', name: '10-244-2-6.db.default.svc.cluster.local', type: 'A', want: ['A 10.244.2.6'] },
    {
      title: 'the ports of a headless service, each endpoint', name: '_sql._tcp.db.default.svc.cluster.local', type: 'SRV',
      want: ['SRV 0 50 5432 db-0.db.default.svc.cluster.local', 'SRV 0 50 5432 10-244-2-6.db.default.svc.cluster.local'],
    },
    { title: 'an external name, whatever is asked', name: 'ext.default.svc.cluster.local', type: 'A', want: ['CNAME www.example.com'] },
    { title: 'a pod by its address', name: '10-244-9-9.default.pod.cluster.local', type: 'A', want: ['A 10.244.9.9'] },
    { title: 'the name of a cluster IP', name: '1.0.96.10.in-addr.arpa', type: 'PTR', want: ['PTR web.default.svc.cluster.local'] },
    { title: 'the names of a headless endpoint', name: '5.1.244.10.in-addr.arpa', type: 'PTR', want: ['PTR db-0.db.default.svc.cluster.local', 'PTR db-0.early.default.svc.cluster.local'] },
    { title: 'the name of an IPv6 cluster IP', name: '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.d.f.ip6.arpa', type: 'PTR', want: ['PTR web.default.svc.cluster.local'] },
    { title: 'the zone\'s name server', name: 'cluster.local', type: 'NS', want: ['NS ns.dns.cluster.local'] },
    { title: 'the address of that', name: 'ns.dns.cluster.local', type: 'A', want: ['A 10.96.0.10'] },
    { title: 'the start of authority', name: 'cluster.local', type: 'SOA', want: ['SOA ns.dns.cluster.local'] },
  ])('knows $title', ({ name, type, want }) => {
    const answer = lookup(zone, settings, name, type)
    expect(answer?.rcode).toBe('NOERROR')
    expect(answer?.answers.map(text)).toEqual(want)
    expect(answer?.answers.every((record) => record.name === name && record.ttl === 5)).toBe(true)
  })

  test.each([
    ['web.default.svc.cluster.local', 'TXT', 'a service has no such record'],
    ['svc.cluster.local', 'A', 'services are below it'],
    ['default.svc.cluster.local', 'A', 'the namespace exists'],
    ['_tcp.web.default.svc.cluster.local', 'SRV', 'ports are below it'],
    ['_http._tcp.web.default.svc.cluster.local', 'A', 'it has an SRV record only'],
    ['db-0.db.default.svc.cluster.local', 'SRV', 'it has addresses only'],
  ])('%s %s exists without answer: %s', (name, type) => {
    const answer = lookup(zone, settings, name, type)
    expect([answer?.rcode, answer?.answers, answer?.authority.map(text)]).toEqual(['NOERROR', [], ['SOA ns.dns.cluster.local']])
  })

  test.each([
    ['absent.default.svc.cluster.local', 'there is no such service'],
    ['web.other.svc.cluster.local', 'there is no such namespace'],
    ['other.svc.cluster.local', 'there is no such namespace'],
    ['empty.default.svc.cluster.local', 'no endpoint of it is ready'],
    ['db-2.db.default.svc.cluster.local', 'this endpoint is not ready'],
    ['_sql._udp.db.default.svc.cluster.local', 'the port has another protocol'],
    ['__tcp.web.default.svc.cluster.local', 'unnamed ports have no record'],
    ['long.default.svc.cluster.local', 'its external name cannot be sent'],
    ['number.default.svc.cluster.local', 'its external name is an address'],
    ['a._http._tcp.web.default.svc.cluster.local', 'nothing is below a port'],
    ['x.default.pod.cluster.local', 'it is no address'],
    ['10-244-9-9.other.pod.cluster.local', 'there is no such namespace'],
    ['anything.cluster.local', 'the zone has nothing else'],
  ])('%s does not exist: %s', (name) => {
    const answer = lookup(zone, settings, name, 'A')
    expect([answer?.rcode, answer?.answers, answer?.authority.map(text)]).toEqual(['NXDOMAIN', [], ['SOA ns.dns.cluster.local']])
  })

  test.each(['example.com', 'notcluster.local', '8.8.8.8.in-addr.arpa', ''])('%j is somebody else\'s', (name) => {
    expect(lookup(zone, settings, name, 'A')).toBeUndefined()
  })

  test('SRV answers bring the addresses of their targets', () => {
    expect(lookup(zone, settings, '_sql._tcp.db.default.svc.cluster.local', 'SRV')?.additional.map((record) => `${record.name} ${text(record)}`)).toEqual([
      'db-0.db.default.svc.cluster.local A 10.244.1.5', 'db-0.db.default.svc.cluster.local AAAA fd00::5', '10-244-2-6.db.default.svc.cluster.local A 10.244.2.6',
    ])
  })

  test('follows changes: what is gone is gone, forwards and backwards', () => {
    const changing = zoneOf()
    const before = changing.serial
    changing.setService('default/web', recordsOf(service('web', { clusterIP: '10.96.0.2', clusterIPs: ['10.96.0.2'] }), []), 0)
    expect(lookup(changing, settings, 'web.default.svc.cluster.local', 'A')?.answers.map(text)).toEqual(['A 10.96.0.2'])
    expect(lookup(changing, settings, '1.0.96.10.in-addr.arpa', 'PTR')).toBeUndefined()
    changing.setService('default/web', undefined, 0)
    expect(lookup(changing, settings, 'web.default.svc.cluster.local', 'A')?.rcode).toBe('NXDOMAIN')
    expect(lookup(changing, settings, '2.0.96.10.in-addr.arpa', 'PTR')).toBeUndefined()
    expect(changing.serial).toBe(before + 2)
  })
})
