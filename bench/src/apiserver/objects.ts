// What is written, read and watched: custom resources of the size of pods, leases and nodes, since the stock generic server serves nothing else, and the built-in kinds themselves.

/** A kind under measurement. */
export interface Kind {
  readonly name: 'pods' | 'leases' | 'nodes' | 'podlikes' | 'leaselikes' | 'nodelikes'
  /** The path of a namespace's collection (the collection, where there are no namespaces). */
  collection(namespace: string): string
  make(i: number, namespace: string): object
}

const group = 'bench.berth.example'

const text = { type: 'string' }
const object = (properties: object): object => ({ type: 'object', properties })
const listOf = (items: object): object => ({ type: 'array', items })
const words = { type: 'object', additionalProperties: text }
const free = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

const podSpec = object({
  nodeName: text, restartPolicy: text, schedulerName: text, serviceAccountName: text, terminationGracePeriodSeconds: { type: 'integer', format: 'int64' },
  tolerations: listOf(object({ key: text, operator: text, effect: text, tolerationSeconds: { type: 'integer', format: 'int64' } })),
  volumes: listOf(object({ name: text, configMap: object({ name: text, defaultMode: { type: 'integer', format: 'int32' } }) })),
  containers: listOf(object({
    name: text, image: text, imagePullPolicy: text, command: listOf(text), env: listOf(object({ name: text, value: text })), resources: object({ requests: words, limits: words }),
    volumeMounts: listOf(object({ name: text, mountPath: text, readOnly: { type: 'boolean' } })), terminationMessagePath: text, terminationMessagePolicy: text,
  })),
})
const leaseSpec = object({ holderIdentity: text, leaseDurationSeconds: { type: 'integer', format: 'int32' }, renewTime: { type: 'string', format: 'date-time' } })

const schemas = { podlikes: ['PodLike', podSpec], leaselikes: ['LeaseLike', leaseSpec], nodelikes: ['NodeLike', free] } as const

/** The definitions of the custom kinds. */
export const definitions: readonly object[] = Object.entries(schemas).map(([plural, [kind, spec]]) => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.${group}` },
  spec: {
    group, scope: 'Namespaced', names: { plural, singular: plural.slice(0, -1), kind, listKind: `${kind}List` },
    versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {} }, schema: { openAPIV3Schema: { type: 'object', properties: { spec, status: free } } } }],
  },
}))

const podBody = (i: number): { metadata: object; spec: Record<string, unknown> } => ({
  metadata: { labels: { app: 'web', tier: 'front', 'pod-template-hash': '6d4cf56db6' }, annotations: { 'bench.berth.example/revision': '17' } },
  spec: {
    restartPolicy: 'Always', schedulerName: 'default-scheduler', terminationGracePeriodSeconds: 30,
    tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }, { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    volumes: [{ name: 'config', configMap: { name: 'web', defaultMode: 420 } }],
    containers: [{
      name: 'web', image: 'registry.example/web:1.17.3', imagePullPolicy: 'IfNotPresent', command: ['/web', '--port=8080', '--log=json'],
      env: [{ name: 'ZONE', value: `zone-${i % 3}` }, { name: 'CACHE', value: 'redis.default.svc:6379' }], resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
      volumeMounts: [{ name: 'config', mountPath: '/etc/web', readOnly: true }], terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File',
    }],
  },
})

const leaseSpecOf = (i: number): object => ({ holderIdentity: `node-${i}`, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace('Z', '000Z') })

const images = Array.from({ length: 20 }, (_, i) => ({ names: [`registry.example/app-${i}@sha256:${'0123456789abcdef'.repeat(4)}`, `registry.example/app-${i}:1.${i}.0`], sizeBytes: 40_000_000 + i }))
const condition = (type: string, status: string, reason: string): object => ({ type, status, reason, message: `kubelet says ${reason}`, lastHeartbeatTime: '2026-11-21T12:00:00Z', lastTransitionTime: '2026-11-21T12:00:00Z' })
const nodeStatus = {
  capacity: { cpu: '4', memory: '32Gi', pods: '110', 'ephemeral-storage': '100Gi' }, allocatable: { cpu: '4', memory: '32Gi', pods: '110', 'ephemeral-storage': '90Gi' },
  conditions: [condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'), condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'), condition('PIDPressure', 'False', 'KubeletHasSufficientPID'), condition('Ready', 'True', 'KubeletReady')],
  nodeInfo: {
    machineID: 'a', systemUUID: 'b', bootID: 'c', kernelVersion: '6.18.44', osImage: 'Debian GNU/Linux 12 (bookworm)', containerRuntimeVersion: 'containerd://1.6.20', kubeletVersion: 'v1.36.3', kubeProxyVersion: '',
    operatingSystem: 'linux', architecture: 'amd64',
  },
  images,
}
const nodeLabels = (i: number): Record<string, string> => ({ 'kubernetes.io/hostname': `node-${i}`, 'topology.kubernetes.io/zone': `zone-${i % 3}`, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' })

const built = (prefix: string, resource: string) => (namespace: string): string => `${prefix}/namespaces/${namespace}/${resource}`
const custom = (resource: string) => built(`/apis/${group}/v1`, resource)

/** The kinds, by name. `X-likes` stand for `X` where the server has no built-in kinds. */
export const kinds: Readonly<Record<Kind['name'], Kind>> = {
  pods: {
    name: 'pods', collection: built('/api/v1', 'pods'),
    make(i, namespace) {
      const { metadata, spec } = podBody(i)
      return { apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-${i}`, namespace, ...metadata }, spec: { ...spec, automountServiceAccountToken: false } }
    },
  },
  leases: {
    name: 'leases', collection: built('/apis/coordination.k8s.io/v1', 'leases'),
    make: (i, namespace) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: `node-${i}`, namespace }, spec: leaseSpecOf(i) }),
  },
  nodes: {
    name: 'nodes', collection: () => '/api/v1/nodes',
    make: (i) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: `node-${i}`, labels: nodeLabels(i) }, spec: { podCIDR: '10.0.0.0/24' }, status: nodeStatus }),
  },
  podlikes: {
    name: 'podlikes', collection: custom('podlikes'),
    make(i, namespace) {
      const { metadata, spec } = podBody(i)
      return { apiVersion: `${group}/v1`, kind: 'PodLike', metadata: { name: `pod-${i}`, namespace, ...metadata }, spec }
    },
  },
  leaselikes: {
    name: 'leaselikes', collection: custom('leaselikes'),
    make: (i, namespace) => ({ apiVersion: `${group}/v1`, kind: 'LeaseLike', metadata: { name: `node-${i}`, namespace }, spec: leaseSpecOf(i) }),
  },
  nodelikes: {
    name: 'nodelikes', collection: custom('nodelikes'),
    make: (i, namespace) => ({ apiVersion: `${group}/v1`, kind: 'NodeLike', metadata: { name: `node-${i}`, namespace, labels: nodeLabels(i) }, spec: { podCIDR: '10.0.0.0/24', status: nodeStatus } }),
  },
}
