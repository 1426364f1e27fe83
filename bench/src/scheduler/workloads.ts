import type { Node, Pod } from '@berth/api/types/core/v1'

/** A workload of upstream's scheduler_perf: what is there before, and what is then scheduled. */
export interface Workload {
  /** More labels for the `i`th node. */
  readonly nodeLabels?: (i: number) => Record<string, string>
  /** The `i`th of the pods that are placed before; evenly, one node after the other. */
  readonly before: (i: number) => Pod
  /** How many of them, for so many nodes. */
  readonly beforeCount: (nodes: number) => number
  /** The `i`th of the pods that are measured. */
  readonly measured: (i: number) => Pod
  /** How many of them are measured at most, where not each node takes any number. */
  readonly limit?: (nodes: number) => number
}

const hostname = 'kubernetes.io/hostname'
const zone = 'topology.kubernetes.io/zone'

/** node-default.yaml: 4 cpu, 32 GiB, 110 pods. */
export function node(i: number, labels: Record<string, string> = {}): Node {
  return {
    metadata: { name: `scheduler-perf-${i}`, labels: { [hostname]: `scheduler-perf-${i}`, ...labels } },
    spec: {},
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110' }, images: [{ names: ['registry.k8s.io/pause:3.10.1'], sizeBytes: 300_000 }] },
  }
}

function pod(name: string, namespace: string, cpu: string, memory: string, more: { labels?: Record<string, string>; spec?: Partial<Pod['spec']> } = {}): Pod {
  return {
    metadata: { name, namespace, ...(more.labels ? { labels: more.labels } : {}) },
    spec: { containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10.1', resources: { requests: { cpu, memory } } }], ...more.spec },
  }
}

const plain = (i: number, namespace = 'sched-1'): Pod => pod(`pod-${namespace}-${i}`, namespace, '100m', '500Mi')
const perNode = (n: number) => (nodes: number): number => n * nodes
const zone1 = (): Record<string, string> => ({ [zone]: 'zone1' })
const moons = (i: number): Record<string, string> => ({ [zone]: `moon-${(i % 3) + 1}` })

type Kind = 'podAffinity' | 'podAntiAffinity'

function affinityPod(kind: Kind, isRequired: boolean, topologyKey: string, labels: Record<string, string>) {
  const term = { labelSelector: { matchLabels: labels }, topologyKey, namespaces: ['sched-0', 'sched-1'] }
  const affinity = { [kind]: isRequired ? { requiredDuringSchedulingIgnoredDuringExecution: [term] } : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] } }
  return (namespace: string) => (i: number): Pod => pod(`pod-${namespace}-${i}`, namespace, '100m', '500Mi', { labels, spec: { affinity } })
}

function spreadPod(whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') {
  return (i: number): Pod => pod(`pod-${i}`, 'sched-1', '100m', '500Mi', { labels: { color: 'blue' }, spec: { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: zone, whenUnsatisfiable, labelSelector: { matchLabels: { color: 'blue' } } }] } })
}

const required = affinityPod('podAffinity', true, zone, { foo: '' })
const anti = affinityPod('podAntiAffinity', true, hostname, { color: 'green' })
const preferred = affinityPod('podAffinity', false, hostname, { foo: '' })
const preferredAnti = affinityPod('podAntiAffinity', false, hostname, { color: 'yellow' })
const mixed = [plain, required('sched-0'), anti('sched-0'), preferred('sched-0'), preferredAnti('sched-0')] as const
const nodeAffinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'In' as const, values: ['zone1', 'zone2'] }] }] } } }

/** By upstream's names (test/integration/scheduler_perf); EveryPodDiffers is ours. */
export const workloads: Readonly<Record<string, Workload>> = {
  SchedulingBasic: { before: (i) => plain(i, 'sched-0'), beforeCount: perNode(1), measured: (i) => plain(i) },
  SchedulingNodeAffinity: { nodeLabels: zone1, before: (i) => plain(i, 'sched-0'), beforeCount: perNode(1), measured: (i) => pod(`pod-${i}`, 'sched-1', '100m', '500Mi', { spec: { affinity: nodeAffinity } }) },
  SchedulingPodAntiAffinity: { before: anti('sched-0'), beforeCount: (nodes) => nodes / 5, measured: anti('sched-1'), limit: (nodes) => nodes * 0.4 },
  SchedulingPodAffinity: { nodeLabels: zone1, before: required('sched-0'), beforeCount: perNode(1), measured: required('sched-1') },
  SchedulingPreferredPodAffinity: { before: preferred('sched-0'), beforeCount: perNode(1), measured: preferred('sched-1') },
  SchedulingPreferredPodAntiAffinity: { before: preferredAnti('sched-0'), beforeCount: perNode(1), measured: preferredAnti('sched-1') },
  TopologySpreading: { nodeLabels: moons, before: (i) => plain(i, 'sched-0'), beforeCount: perNode(1), measured: spreadPod('DoNotSchedule') },
  PreferredTopologySpreading: { nodeLabels: moons, before: (i) => plain(i, 'sched-0'), beforeCount: perNode(1), measured: spreadPod('ScheduleAnyway') },
  MixedSchedulingBasePod: { nodeLabels: zone1, before: (i) => mixed[i % mixed.length]!(i), beforeCount: perNode(1), measured: (i) => plain(i) },
  /** Every fifth pod fits nowhere. */
  Unschedulable: { before: (i) => plain(i, 'sched-0'), beforeCount: perNode(1), measured: (i) => (i % 5 === 0 ? pod(`large-${i}`, 'sched-1', '9', '500Mi') : plain(i)) },
  /** Every node is full of pods of low priority. */
  PreemptionBasic: { before: (i) => pod(`low-${i}`, 'sched-0', '900m', '500Mi'), beforeCount: perNode(4), measured: (i) => pod(`high-${i}`, 'sched-1', '3', '500Mi', { spec: { priority: 10 } }), limit: (nodes) => (nodes < 50_000 ? Math.min(1000, nodes) : 200) },
  EveryPodDiffers: {
    before: (i) => plain(i, 'sched-0'), beforeCount: perNode(1),
    measured: (i) => pod(`pod-${i}`, 'sched-1', `${50 + ((i * 7919) % 401)}m`, `${100 + ((i * 104_729) % 997)}Mi`, { labels: { app: `app-${i}` } }),
  },
}
