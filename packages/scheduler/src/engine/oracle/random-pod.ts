import type { Affinity, Container, Pod, PodAffinityTerm, Toleration, TopologySpreadConstraint } from '@berth/api/types/core/v1'
import type { LabelSelector } from '@berth/api/types/meta/v1'
import type { Chance } from './chance.ts'

export const namespaces = ['default', 'blue', 'green']
export const keys = ['kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'rack', 'absent']
export const images = ['r/a:1', 'r/b', 'r/c:2']
export const taintKeys = ['dedicated', 'spot', 'node.kubernetes.io/unschedulable']
const apps = ['a', 'b', 'c']

function selector(chance: Chance): LabelSelector | undefined {
  const kind = chance.below(10)
  if (kind < 6) return { matchLabels: { app: chance.of(apps) } }
  if (kind < 7) return { matchExpressions: [{ key: 'app', operator: 'In', values: chance.some(apps, 0.6).concat('z') }] }
  if (kind < 8) return { matchExpressions: [{ key: 'tier', operator: chance.of(['Exists', 'DoesNotExist']) }] }
  return kind < 9 ? {} : undefined
}

function term(chance: Chance): PodAffinityTerm {
  const labelSelector = selector(chance)
  return {
    topologyKey: chance.of(keys.slice(0, 3)),
    ...(labelSelector ? { labelSelector } : {}),
    ...(chance.isLucky(0.15) ? { namespaces: chance.some(namespaces, 0.5) } : {}),
    ...(chance.isLucky(0.15) ? { namespaceSelector: chance.isLucky(0.3) ? {} : { matchLabels: { team: chance.of(['x', 'y']) } } } : {}),
  }
}

function podAffinity(chance: Chance): Pick<Affinity, 'podAffinity' | 'podAntiAffinity'> {
  const terms = (): PodAffinityTerm[] => Array.from({ length: 1 + chance.below(2) }, () => term(chance))
  const part = (): NonNullable<Affinity['podAffinity']> => ({
    ...(chance.isLucky(0.35) ? { requiredDuringSchedulingIgnoredDuringExecution: terms() } : {}),
    ...(chance.isLucky(0.6) ? { preferredDuringSchedulingIgnoredDuringExecution: terms().map((podAffinityTerm) => ({ weight: 1 + chance.below(100), podAffinityTerm })) } : {}),
  })
  return { ...(chance.isLucky(0.6) ? { podAffinity: part() } : {}), ...(chance.isLucky(0.6) ? { podAntiAffinity: part() } : {}) }
}

function nodeAffinity(chance: Chance, nodes: readonly string[]): Affinity['nodeAffinity'] {
  const zone = { key: keys[1]!, operator: chance.of(['In', 'NotIn'] as const), values: [chance.of(['z1', 'z2'])] }
  return {
    ...(chance.isLucky(0.35) ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [
      { matchExpressions: [zone] },
      ...(chance.isLucky(0.3) ? [{ matchExpressions: [{ key: 'gen', operator: 'Gt' as const, values: ['2'] }] }] : []),
    ] } } : {}),
    ...(chance.isLucky(0.08) ? { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: chance.some(nodes, 0.3).concat('nowhere') }] }] } } : {}),
    ...(chance.isLucky(0.7) ? { preferredDuringSchedulingIgnoredDuringExecution: Array.from({ length: 1 + chance.below(2) }, () => ({ weight: 1 + chance.below(50), preference: { matchExpressions: [{ key: chance.of(['disk', 'gen']), operator: 'Exists' as const }] } })) } : {}),
  }
}

function constraint(chance: Chance): TopologySpreadConstraint {
  const labelSelector = selector(chance)
  const hard = chance.isLucky(0.5)
  return {
    maxSkew: 1 + chance.below(3), topologyKey: chance.of(keys.slice(0, chance.isLucky(0.1) ? 4 : 3)), whenUnsatisfiable: hard ? 'DoNotSchedule' : 'ScheduleAnyway',
    ...(labelSelector ? { labelSelector } : {}),
    ...(hard && chance.isLucky(0.2) ? { minDomains: 1 + chance.below(4) } : {}),
    ...(chance.isLucky(0.3) ? { nodeAffinityPolicy: chance.of(['Honor', 'Ignore']) } : {}),
    ...(chance.isLucky(0.4) ? { nodeTaintsPolicy: chance.of(['Honor', 'Ignore']) } : {}),
    ...(chance.isLucky(0.2) ? { matchLabelKeys: ['tier'] } : {}),
  }
}

function toleration(chance: Chance): Toleration {
  return chance.isLucky(0.1) ? { operator: 'Exists' } : { key: chance.of(taintKeys), ...(chance.isLucky(0.5) ? { operator: 'Exists' } : { value: chance.of(['v', 'w']) }), ...(chance.isLucky(0.5) ? { effect: chance.of(['NoSchedule', 'PreferNoSchedule', 'NoExecute']) } : {}) }
}

function container(chance: Chance, name: string): Container {
  const requests = {
    ...(chance.isLucky(0.8) ? { cpu: chance.of(['100m', '100m', '500m', '1', '1500m', '3']) } : {}),
    ...(chance.isLucky(0.7) ? { memory: chance.of(['64Mi', '512Mi', '1Gi', '2Gi']) } : {}),
    ...(chance.isLucky(0.04) ? { 'ephemeral-storage': chance.of(['1Gi', '9Gi']) } : {}),
    ...(chance.isLucky(0.05) ? { 'example.com/gpu': chance.of(['1', '2']) } : {}),
  }
  return {
    name, image: chance.of(images),
    ...(Object.keys(requests).length > 0 ? { resources: { requests } } : {}),
    ...(chance.isLucky(0.04) ? { ports: [{ containerPort: 80, hostPort: chance.of([80, 81]), ...(chance.isLucky(0.3) ? { hostIP: '10.0.0.1' } : {}) }] } : {}),
  }
}

/** What pods of a case are made of: a few templates, so that some are alike. */
export function randomTemplate(chance: Chance, nodes: readonly string[]): Pod {
  // Half of the templates read nothing of other nodes: their signatures are ranked.
  const isPlain = chance.isLucky(0.5)
  const affinity = { ...(!isPlain && chance.isLucky(0.6) ? podAffinity(chance) : {}), ...(chance.isLucky(0.25) ? { nodeAffinity: nodeAffinity(chance, nodes) } : {}) }
  const tier = chance.of([undefined, 'web', 'db'])
  return {
    metadata: {
      name: '', namespace: chance.of(namespaces),
      ...(chance.isLucky(0.9) ? { labels: { app: chance.of(apps), ...(tier ? { tier } : {}) } } : {}),
      ...(chance.isLucky(isPlain ? 0.1 : 0.3) ? { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: chance.of(['r1', 'r2']), uid: 'u', controller: true }] } : {}),
    },
    spec: {
      containers: Array.from({ length: 1 + chance.below(2) }, (_, i) => container(chance, `c${i}`)),
      ...(chance.isLucky(0.5) ? { priority: chance.of([0, 10, 100, 1000]) } : {}),
      ...(chance.isLucky(0.1) ? { preemptionPolicy: 'Never' as const } : {}),
      ...(chance.isLucky(0.3) ? { tolerations: [toleration(chance), ...(chance.isLucky(0.3) ? [toleration(chance)] : [])] } : {}),
      ...(chance.isLucky(0.08) ? { nodeSelector: { disk: chance.of(['ssd', 'hdd']) } } : {}),
      ...(Object.keys(affinity).length > 0 ? { affinity } : {}),
      ...(!isPlain && chance.isLucky(0.5) ? { topologySpreadConstraints: Array.from({ length: 1 + chance.below(2) }, () => constraint(chance)) } : {}),
      ...(chance.isLucky(0.02) ? { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: chance.of(['bound', 'waiting']) } }] } : {}),
    },
  }
}
