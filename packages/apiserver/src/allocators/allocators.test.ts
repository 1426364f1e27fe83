import { expect, test } from 'vitest'
import { core, networking } from '@berth/api'
import type { Service, ServiceSpec } from '@berth/api/types/core/v1'
import type { ApiObject, WriteOutcome } from '../interfaces.ts'
import { StorageConflict, type StorageEntry, type StorageWrite } from '../storage/storage.ts'
import { MemoryStore } from '../test-support/memory-store.ts'
import { ClusterIpAllocator } from './cluster-ip-allocator.ts'
import { addressAt, contains, dynamicOffset, parseRange } from './ip-range.ts'
import { NodePortAllocator } from './node-port-allocator.ts'
import { PortBitmap } from './port-bitmap.ts'
import { repairAddresses, repairPorts } from './repair.ts'
import { serviceHook } from './service-hook.ts'
import { normalizeService } from './service-normalize.ts'

/** A storage of single keys that compares and swaps. */
function memoryStorage() {
  const entries = new Map<string, StorageEntry>()
  let revision = 0
  return {
    async confirm(key: string): Promise<StorageEntry | undefined> { return entries.get(key) },
    async write({ key, expected, value }: StorageWrite): Promise<{ revision: number, entry: StorageEntry | undefined }> {
      const now = entries.get(key)
      if ((now?.modRevision ?? 0) !== expected) throw new StorageConflict(key, now)
      const entry = { key, value: value?.(++revision) ?? new Uint8Array(), modRevision: revision, createRevision: now?.createRevision ?? revision }
      entries.set(key, entry)
      return { revision, entry }
    },
  }
}

function allocators(range = '10.96.0.0/16', ports = { from: 30000, to: 32767 }) {
  const store = new MemoryStore()
  const addresses = new ClusterIpAllocator(store, range)
  const nodePorts = new NodePortAllocator(memoryStorage(), ports)
  const hook = serviceHook(addresses, nodePorts)
  const context = { user: { name: 'u', groups: [] }, dryRun: false, warn: () => {} }
  const begin = async (service: Service, old?: Service, dryRun = false): Promise<WriteOutcome> => {
    const [object, before] = [service as unknown as ApiObject, old as unknown as ApiObject | undefined]
    hook.normalize?.(object, before)
    return (before ? hook.beginUpdate?.(object, before, { ...context, dryRun }) : hook.beginCreate?.(object, { ...context, dryRun })) ?? {}
  }
  const remove = async (service: Service): Promise<void> => { await hook.afterDelete?.(service as unknown as ApiObject, context) }
  const held = (): string[] => store.list(networking.ipaddresses).map((a) => a.metadata.name)
  const ports_ = async (): Promise<number[]> => [...(await nodePorts.read()).ports()]
  return { store, addresses, nodePorts, begin, remove, held, ports: ports_ }
}

const service = (spec: ServiceSpec, name = 's'): Service => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'a' }, spec: { ports: [{ port: 80, protocol: 'TCP' }], selector: { app: 'x' }, ...spec } })
const copy = <T>(value: T): T => structuredClone(value)
const messageOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', (e: Error) => e.message)

test.each([
  ['10.96.0.0/16', 65534n, '10.96.0.1', '10.96.255.254'], ['10.0.0.0/30', 2n, '10.0.0.1', '10.0.0.2'], ['fd00::/120', 255n, 'fd00::1', 'fd00::ff'],
])('the range %s gives out %s addresses, from %s to %s', (cidr, size, first, last) => {
  const range = parseRange(cidr)
  expect([range.size, addressAt(range, 0n), addressAt(range, size - 1n)]).toEqual([size, first, last])
  expect([contains(range, first), contains(range, last)]).toEqual([true, true])
})

test('network, broadcast and other addresses are not of a range', () => {
  const range = parseRange('10.96.0.0/16')
  expect(['10.96.0.0', '10.96.255.255', '10.97.0.1', 'fd00::1', 'x'].map((a) => contains(range, a))).toEqual([false, false, false, false, false])
  expect(() => parseRange('10.96.0.0')).toThrow('invalid CIDR address: 10.96.0.0')
  expect([dynamicOffset(65534n), dynamicOffset(254n), dynamicOffset(6n)]).toEqual([256n, 16n, 0n])
})

test('a Service gets an address that is marked as its own, and gives it back', async () => {
  const { begin, remove, held, store } = allocators()
  const a = service({})
  await begin(a)
  expect(a.spec).toMatchObject({ clusterIP: expect.stringMatching(/^10\.96\./), clusterIPs: [a.spec?.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  expect(store.get(networking.ipaddresses, a.spec?.clusterIP ?? '')).toMatchObject({
    metadata: { labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'a', name: 's' } },
  })
  await remove(a)
  expect(held()).toEqual([])
})

test('an address that is asked for is given once, within the range, and given back when the write fails', async () => {
  const { begin, held } = allocators()
  const outcome = await begin(service({ clusterIP: '10.96.0.10' }))
  expect(await messageOf(begin(service({ clusterIP: '10.96.0.10' }, 't')))).toBe('Service "t" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated')
  expect(await messageOf(begin(service({ clusterIP: '192.168.1.1' }, 't')))).toBe('Service "t" is invalid: spec.clusterIPs: Invalid value: ["192.168.1.1"]: failed to allocate IP 192.168.1.1: the provided network does not match the current range')
  expect(held()).toEqual(['10.96.0.10'])
  await outcome.revert?.()
  expect(held()).toEqual([])
})

test('a full range says so; a dry run takes nothing', async () => {
  const { begin, held, ports } = allocators('10.0.0.0/30')
  await begin(service({ type: 'NodePort' }), undefined, true)
  expect([held(), await ports()]).toEqual([[], []])
  await begin(service({}, 'one'))
  await begin(service({}, 'two'))
  expect(await messageOf(begin(service({}, 'three')))).toBe('Internal error occurred: failed to allocate a serviceIP: range is full')
})

test.each<[string, ServiceSpec, Partial<ServiceSpec> | string]>([
  ['headless with a selector', { clusterIP: 'None' }, { clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }],
  ['headless without a selector', { clusterIP: 'None', selector: {} }, { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' }],
  ['preferring two families where there is one', { ipFamilyPolicy: 'PreferDualStack' }, { ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' }],
  ['requiring two families where there is one', { ipFamilyPolicy: 'RequireDualStack' }, 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
  ['of a family that is not there', { ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  ['with an address of a family that is not there', { clusterIP: 'fd00::1' }, 'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
  ['with a wrong address, which validation refuses', { clusterIP: 'x' }, { clusterIPs: ['x'] }],
])('a Service %s', (_name, spec, expected) => {
  const given = service(spec)
  if (typeof expected === 'string') expect(() => normalizeService(given, undefined, ['IPv4'])).toThrow(`Service "s" is invalid: ${expected}`)
  else {
    normalizeService(given, undefined, ['IPv4'])
    expect(given.spec).toMatchObject(expected)
    const again = copy(given)
    normalizeService(again, undefined, ['IPv4'])
    expect(again).toEqual(given)
  }
})

test('two families give two addresses, and going back to one gives the second back', async () => {
  const { begin, held } = allocators('10.96.0.0/16,fd00:96::/112')
  const a = service({ ipFamilyPolicy: 'PreferDualStack' })
  await begin(a)
  expect(a.spec?.clusterIPs).toEqual([expect.stringMatching(/^10\.96\./), expect.stringMatching(/^fd00:96::/)])
  const single = copy(a)
  if (single.spec) single.spec.ipFamilyPolicy = 'SingleStack'
  const outcome = await begin(single, a)
  expect(held()).toHaveLength(2)
  await outcome.commit?.()
  expect(held()).toEqual([single.spec?.clusterIP])
  const again = copy(single)
  if (again.spec) again.spec.ipFamilyPolicy = 'RequireDualStack'
  await begin(again, single)
  expect(again.spec?.clusterIPs?.[0]).toBe(single.spec?.clusterIP)
  expect(held()).toHaveLength(2)
})

test('a replaced Service that leaves out its addresses and ports keeps them', async () => {
  const { begin, held, ports } = allocators()
  const old = service({ type: 'NodePort' })
  await begin(old)
  const next = service({ type: 'NodePort', ports: [{ port: 80, protocol: 'TCP' }, { port: 81, protocol: 'TCP' }] })
  await begin(next, old)
  expect(next.spec?.clusterIPs).toEqual(old.spec?.clusterIPs)
  expect(next.spec?.ports?.[0]?.nodePort).toBe(old.spec?.ports?.[0]?.nodePort)
  expect(await ports()).toEqual([...new Set(next.spec?.ports?.map((p) => p.nodePort))].sort())
  expect(held()).toHaveLength(1)
})

test('a changed type gives back what it has no use for, and takes what it needs', async () => {
  const { begin, held, ports } = allocators()
  const nodePort = service({ type: 'NodePort' })
  await begin(nodePort)
  const clusterIp = copy(nodePort)
  if (clusterIp.spec) clusterIp.spec.type = 'ClusterIP'
  await (await begin(clusterIp, nodePort)).commit?.()
  expect([clusterIp.spec?.ports?.[0]?.nodePort, await ports()]).toEqual([undefined, []])
  const external: Service = { ...copy(clusterIp), spec: { ...copy(clusterIp.spec), type: 'ExternalName', externalName: 'a.example' } }
  await (await begin(external, clusterIp)).commit?.()
  expect([external.spec?.clusterIP, external.spec?.clusterIPs, external.spec?.ipFamilies, held()]).toEqual([undefined, undefined, undefined, []])
  const back: Service = { ...copy(external), spec: { ports: [{ port: 80 }], type: 'ClusterIP' } }
  await begin(back, external)
  expect(held()).toEqual([back.spec?.clusterIP])
})

test('node ports: asked for, shared between protocols, refused when taken or out of range', async () => {
  const { begin, ports, remove } = allocators()
  const dns = service({ type: 'NodePort', ports: [{ name: 'u', port: 53, protocol: 'UDP', nodePort: 30053 }, { name: 't', port: 53, protocol: 'TCP' }, { name: 'm', port: 9153, protocol: 'TCP' }] })
  await begin(dns)
  expect(dns.spec?.ports?.map((p) => p.nodePort)).toEqual([30053, 30053, expect.any(Number)])
  expect(await ports()).toHaveLength(2)
  const asking = (nodePort: number): Service => service({ type: 'NodePort', ports: [{ port: 80, nodePort }] }, 't')
  expect(await messageOf(begin(asking(30053)))).toBe('Service "t" is invalid: spec.ports[0].nodePort: Invalid value: 30053: provided port is already allocated')
  expect(await messageOf(begin(asking(80)))).toBe('Service "t" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767')
  await remove(dns)
  expect(await ports()).toEqual([])
})

test('a load balancer may do without node ports, and has a health check port where traffic stays local', async () => {
  const { begin, ports } = allocators()
  const without = service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })
  await begin(without)
  expect([without.spec?.ports?.[0]?.nodePort, await ports()]).toEqual([undefined, []])
  const local = service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, 'l')
  await begin(local)
  expect(await ports()).toEqual([local.spec?.ports?.[0]?.nodePort, local.spec?.healthCheckNodePort].sort())
  const cluster = copy(local)
  if (cluster.spec) cluster.spec.externalTrafficPolicy = 'Cluster'
  await (await begin(cluster, local)).commit?.()
  expect([cluster.spec?.healthCheckNodePort, await ports()]).toEqual([undefined, [local.spec?.ports?.[0]?.nodePort]])
})

test('servers that share a storage never give the same port twice', async () => {
  const storage = memoryStorage()
  const range = { from: 30000, to: 30063 }
  const servers = [new NodePortAllocator(storage, range), new NodePortAllocator(storage, range)]
  const take = (server: NodePortAllocator | undefined): Promise<number | undefined> | undefined => server?.take((bitmap) => {
    const port = bitmap.free(() => 0.5) ?? 0
    return { taken: [port], result: port }
  }, false)
  const got = await Promise.all(Array.from({ length: 16 }, (_, i) => take(servers[i % 2])))
  expect(new Set(got).size).toBe(16)
})

test('a full port range has no free port; ports that may be asked for by number are given last', () => {
  const range = { from: 30000, to: 32767 }
  expect(new PortBitmap(range).free(() => 0)).toBe(30086)
  const all = Array.from({ length: 2768 }, (_, i) => 30000 + i)
  expect(new PortBitmap(range).with(all).free(() => 0.3)).toBeUndefined()
  expect(new PortBitmap(range).with(all, [30007]).free(() => 0.3)).toBe(30007)
})

test('repair marks what Services have, and gives back what none has', async () => {
  const { store, addresses, nodePorts, held, ports } = allocators()
  await store.create(core.services, service({ type: 'NodePort', clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'], ports: [{ port: 80, nodePort: 30001 }] }))
  await addresses.allocate('10.96.0.9', { namespace: 'a', name: 'gone' }, false)
  await nodePorts.take(() => ({ taken: [30009], result: undefined }), false)
  await repairAddresses(store, addresses, Date.now())
  expect(held()).toEqual(['10.96.0.5', '10.96.0.9'])
  await repairAddresses(store, addresses, Date.now() + 61_000)
  expect(held()).toEqual(['10.96.0.5'])
  const unused = await repairPorts(store, nodePorts, new Set())
  expect([[...unused], await ports()]).toEqual([[30009], [30001, 30009]])
  await repairPorts(store, nodePorts, unused)
  expect(await ports()).toEqual([30001])
})
