import type { Node, Pod } from '@berth/api/types/core/v1'
import type { Change } from '../../cache/changes.ts'
import { Chance } from './chance.ts'
import { images, keys, namespaces, randomTemplate, taintKeys } from './random-pod.ts'

/** A decision, and what becomes of it. */
export interface Decide {
  readonly type: 'decide'
  readonly pod: Pod
  /** assume: the pod counts on the node; nominate: it gets the node that preemption found, or any. */
  readonly then: 'assume' | 'nominate' | 'nothing'
  readonly random: number
}

export type Step = Change | Decide

/** A random cluster and what happens to it. Every subsequence of the steps is a case, too. */
export interface Case {
  readonly seed: number
  /** Which of the profiles decides. */
  readonly profile: number
  readonly steps: readonly Step[]
}

function randomNode(chance: Chance, name: string): Node {
  const zone = chance.of([undefined, 'z1', 'z2', 'z3'])
  return {
    metadata: { name, labels: {
      ...(chance.isLucky(0.95) ? { [keys[0]!]: name } : {}), ...(zone ? { [keys[1]!]: zone } : {}), ...(chance.isLucky(0.7) ? { rack: chance.of(['r1', 'r2', 'r3']) } : {}),
      ...(chance.isLucky(0.5) ? { disk: chance.of(['ssd', 'hdd']) } : {}), ...(chance.isLucky(0.4) ? { gen: chance.of(['1', '2', '3']) } : {}),
    } },
    spec: {
      ...(chance.isLucky(0.05) ? { unschedulable: true } : {}),
      ...(chance.isLucky(0.3) ? { taints: chance.some(taintKeys, 0.4).map((key) => ({ key, value: chance.of(['v', 'w']), effect: chance.of(['NoSchedule', 'PreferNoSchedule', 'PreferNoSchedule', 'PreferNoSchedule', 'PreferNoSchedule', 'NoExecute']) })) } : {}),
    },
    status: {
      allocatable: {
        cpu: chance.of(['2', '8', '16', '16']), memory: chance.of(['4Gi', '16Gi', '16Gi', '32Gi', '0']), pods: chance.of(['3', '8', '20', '110']),
        ...(chance.isLucky(0.5) ? { 'ephemeral-storage': '10Gi' } : {}), ...(chance.isLucky(0.3) ? { 'example.com/gpu': chance.of(['1', '4']) } : {}),
      },
      ...(chance.isLucky(0.4) ? { images: chance.some(images, 0.5).map((image) => ({ names: [image], sizeBytes: chance.of([1, 50, 400, 900]) * 2 ** 20 })) } : {}),
    },
  }
}

/** Makes a case of a seed: `size` 1 for a small cluster with few events. */
export function randomCase(seed: number, profiles: number): Case {
  const chance = new Chance(seed)
  const names = Array.from({ length: 1 + chance.below(chance.isLucky(0.2) ? 24 : 9) }, (_, i) => `n${i}`)
  const templates = Array.from({ length: 1 + chance.below(4) }, () => randomTemplate(chance, names))
  const steps: Step[] = []
  let pods = 0
  let sequence = 0
  const placed: string[] = []
  const named = (template: Pod, name: string, more: Partial<Pod['spec']> = {}): Pod => ({ ...template, metadata: { ...template.metadata, name, ...(chance.isLucky(0.05) ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) }, spec: { ...template.spec, ...(chance.isLucky(0.2) ? { priority: chance.of([0, 10, 100]) } : {}), ...more } })
  const templateFor = (): Pod => (chance.isLucky(0.15) ? randomTemplate(chance, names) : chance.of(templates))
  const put = (name: string): void => {
    const startTime = `2026-01-01T0${chance.below(9)}:00:00Z`
    const pod = named(templateFor(), name, { nodeName: chance.isLucky(0.05) ? 'nowhere' : chance.of(names) })
    placed.push(`${pod.metadata.namespace}/${name}`)
    steps.push({ type: 'pod-set', pod: { ...pod, status: { startTime } } })
  }
  for (const name of names) if (chance.isLucky(0.9)) steps.push({ type: 'node-set', node: randomNode(chance, name) })
  for (const name of namespaces) if (chance.isLucky(0.6)) steps.push({ type: 'namespace-set', name, labels: { team: chance.of(['x', 'y']) } })
  for (let i = chance.below(2 * names.length + 1); i > 0; i--) put(`p${pods++}`)
  const events: ReadonlyArray<readonly [number, () => void]> = [
    [10, () => { steps.push({ type: 'decide', pod: named(templateFor(), `d${pods++}`), then: chance.of(['assume', 'assume', 'assume', 'nominate', 'nothing']), random: chance.next() }) }],
    [2, () => { put(`p${pods++}`) }],
    [2, () => { if (placed.length > 0) put(chance.of(placed).split('/')[1]!) }],
    [2, () => { if (placed.length > 0) steps.push({ type: 'pod-gone', key: chance.of(placed) }) }],
    [2, () => { steps.push({ type: 'node-set', node: randomNode(chance, chance.of(names)) }) }],
    [1, () => { steps.push({ type: 'node-gone', name: chance.of(names) }) }],
    [1, () => { steps.push({ type: 'forget', key: `${chance.of(namespaces)}/d${chance.below(pods + 1)}`, sequence: sequence++ }) }],
    [1, () => { steps.push({ type: 'nominate', pod: named(templateFor(), `w${chance.below(3)}`), node: chance.of(names) }) }],
    [1, () => { steps.push({ type: 'nomination-gone', key: `${chance.of(namespaces)}/w${chance.below(3)}` }) }],
    [0.7, () => { steps.push({ type: 'namespace-set', name: chance.of(namespaces), labels: chance.isLucky(0.3) ? {} : { team: chance.of(['x', 'y']) } }) }],
    [0.3, () => { steps.push({ type: 'namespace-gone', name: chance.of(namespaces) }) }],
    [0.7, () => { steps.push({ type: 'service-set', service: { metadata: { name: chance.of(['s1', 's2']), namespace: chance.of(namespaces) }, spec: { selector: { app: chance.of(['a', 'b', 'c']) } } } }) }],
    [0.3, () => { steps.push({ type: 'service-gone', key: `${chance.of(namespaces)}/${chance.of(['s1', 's2'])}` }) }],
    [0.7, () => { steps.push({ type: 'owner-set', kind: 'ReplicaSet', key: `${chance.of(namespaces)}/${chance.of(['r1', 'r2'])}`, selector: { matchLabels: { app: chance.of(['a', 'b', 'c']) } } }) }],
    [0.3, () => { steps.push({ type: 'owner-gone', kind: 'ReplicaSet', key: `${chance.of(namespaces)}/${chance.of(['r1', 'r2'])}` }) }],
    [0.3, () => { steps.push({ type: 'budget-set', budget: { metadata: { name: 'b', namespace: chance.of(namespaces) }, spec: { selector: { matchLabels: { app: chance.of(['a', 'b']) } } }, status: { disruptionsAllowed: chance.below(2), currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } } }) }],
    [0.4, () => { steps.push({ type: 'object-set', resource: 'persistentvolumes', object: volume(chance) }) }],
    [0.4, () => { steps.push({ type: 'object-set', resource: 'persistentvolumeclaims', object: claim(chance) }) }],
  ]
  const all = events.reduce((sum, [weight]) => sum + weight, 0)
  for (let i = 8 + chance.below(32); i > 0; i--) {
    let at = chance.next() * all
    for (const [weight, happen] of events) {
      at -= weight
      if (at >= 0) continue
      happen()
      break
    }
  }
  return { seed, profile: chance.below(profiles), steps }
}

function volume(chance: Chance): { metadata: { name: string }; spec: unknown } {
  return { metadata: { name: 'pv' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: '', claimRef: { namespace: 'default', name: 'bound' },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: keys[1], operator: 'In', values: [chance.of(['z1', 'z2'])] }] }] } } } }
}

function claim(chance: Chance): { metadata: { name: string; namespace: string; annotations: Record<string, string> }; spec: unknown; status: unknown } {
  return { metadata: { name: chance.of(['bound', 'waiting']), namespace: 'default', annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } }, volumeName: 'pv' }, status: { phase: 'Bound' } }
}
