import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Cache } from '@berth/scheduler/core'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { silentLogger } from '@berth/kube'
import { BufferPool, Extender, ExtenderMetrics, extenderConfigOf, Gate, NodeReader, profileOf, startServer } from '@berth/extender/core'
import type { Bench } from '../main.ts'

const podsPerNode = 10

/** A node as kube-scheduler sends it: with the fields that it never reads itself. */
function node(i: number): Node {
  const allocatable = { cpu: '16', 'ephemeral-storage': '95551679124', 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', memory: '64Gi', pods: '110' }
  const condition = (type: string, status: string) => ({ type, status, lastHeartbeatTime: '2026-11-21T12:10:54Z', lastTransitionTime: '2026-11-21T12:10:54Z', reason: `Kubelet${type}`, message: `the kubelet says that ${type} is ${status}` })
  return {
    metadata: {
      name: `node-${i}`, uid: `559017c1-cbb7-4860-83be-${String(i).padStart(12, '0')}`, resourceVersion: String(1000 + i), creationTimestamp: '2026-11-21T12:10:54Z',
      labels: { 'kubernetes.io/hostname': `node-${i}`, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64', 'topology.kubernetes.io/zone': `z${i % 3}`, 'berth.dev/rack': `r${i % 100}` },
      annotations: { 'berth.dev/link-speed': '10G' },
      managedFields: [{ manager: 'kubelet', operation: 'Update', apiVersion: 'v1', time: '2026-11-21T12:10:54Z', fieldsType: 'FieldsV1', fieldsV1: { 'f:status': { 'f:allocatable': { '.': {}, 'f:cpu': {}, 'f:memory': {}, 'f:pods': {} }, 'f:conditions': { '.': {}, 'k:{"type":"Ready"}': { '.': {}, 'f:lastHeartbeatTime': {}, 'f:status': {}, 'f:type': {} } } } }, subresource: 'status' }],
    },
    spec: { podCIDR: '10.244.0.0/24' },
    status: {
      capacity: allocatable, allocatable, conditions: [condition('MemoryPressure', 'False'), condition('DiskPressure', 'False'), condition('PIDPressure', 'False'), condition('Ready', 'True')],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }, { type: 'Hostname', address: `node-${i}` }], images: Array.from({ length: 5 }, (_, n) => ({ names: [`registry.example/app-${n}@sha256:${'a'.repeat(64)}`, `registry.example/app-${n}:1`], sizeBytes: 50_000_000 })),
    },
  }
}

const pod = (name: string, service: string, nodeName?: string): Pod => ({
  metadata: { name, namespace: 'default', uid: name, annotations: { 'kubernetes.io/ingress-bandwidth': '100M' }, ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: service, uid: service, controller: true }] },
  spec: { containers: [{ name: 'c', image: 'pause', resources: { requests: { cpu: '100m', memory: '500Mi' } } }], ...(nodeName ? { nodeName } : {}) },
})

/** filter and prioritize over HTTP with three of Berth's plugins: how long a scheduler waits for both. */
export const extender: Bench = {
  summary: 'filter + prioritize over HTTP, NetworkBandwidth, SwarmSpread and RackSpread, ten pods a node (peer: there is none that does the same)',
  async run({ runs, size, log }) {
    const rows = []
    for (const count of [1250 * size, 5000 * size]) {
      const cache = new Cache()
      const nodes = Array.from({ length: count }, (_, i) => node(i))
      for (const [i, each] of nodes.entries()) {
        cache.apply({ type: 'node-set', node: each })
        for (let n = 0; n < podsPerNode; n++) cache.apply({ type: 'pod-set', pod: pod(`pod-${i}-${n}`, `service-${(i + n) % 50}`, each.metadata.name) })
      }
      const config = extenderConfigOf({ serving: { address: '127.0.0.1', port: 0 }, plugins: [{ name: 'NetworkBandwidth' }, { name: 'SwarmSpread' }, { name: 'RackSpread' }] })
      const gate = new Gate(8, 100)
      const metrics = new ExtenderMetrics(() => gate.load)
      const server = await startServer({
        extender: new Extender({ cache, profile: profileOf(config, () => cache), synced: () => true, metrics }), gate, metrics, address: '127.0.0.1', port: 0, allows: () => true,
        limits: { ...config.limits, maxBodyBytes: 2 ** 30, timeoutMs: 60_000 }, readyChecks: {}, logger: silentLogger(), nodeReader: new NodeReader(), buffers: new BufferPool(),
      })
      const client = new Worker(new URL('../extender/client.ts', import.meta.url))
      const waiting = pod('new', 'service-7')
      const bodies = {
        'node names': Buffer.from(JSON.stringify({ Pod: waiting, Nodes: null, NodeNames: nodes.map(({ metadata }) => metadata.name) })),
        'whole nodes': Buffer.from(JSON.stringify({ Pod: waiting, Nodes: { metadata: {}, items: nodes }, NodeNames: null })),
      }
      for (const [what, body] of Object.entries(bodies)) {
        client.postMessage({ port: server.port, body, runs })
        const [ours] = await once(client, 'message') as [number[]]
        log(`${count} nodes, ${what}: ${(body.length / 2 ** 20).toFixed(1)} MiB a request, ${Math.min(...ours).toFixed(1)} ms at best`)
        rows.push({ what: `filter + prioritize, ${count} nodes, ${what}`, unit: 'ms', ours })
      }
      await client.terminate()
      await server.close()
    }
    return rows
  },
}
