import { Cache, decide, makeProfile, podInfoOf } from '@berth/scheduler/core'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { Bench } from '../main.ts'

const gibibyte = 2 ** 30

function node(i: number): Node {
  return {
    metadata: { name: `n${i}`, labels: { 'kubernetes.io/hostname': `n${i}`, 'topology.kubernetes.io/zone': `z${i % 3}` } },
    spec: {},
    status: { allocatable: { cpu: '4', memory: String(32 * gibibyte), pods: '110' } },
  }
}

const pod = (i: number): Pod => ({ metadata: { name: `p${i}`, namespace: 'default' }, spec: { containers: [{ name: 'c', image: 'pause', resources: { requests: { cpu: '100m', memory: '500Mi' } } }] } })

/** SchedulingBasic of upstream's scheduler_perf on the decision engine alone: how long one decision takes on the plain path. */
export const scheduler: Bench = {
  summary: 'core, SchedulingBasic, plain path (peer: kube-scheduler has no engine that runs alone)',
  async run({ runs, size, log }) {
    const rows = []
    for (const nodes of [500 * size, 4 * 500 * size]) {
      const cache = new Cache()
      for (let i = 0; i < nodes; i++) cache.apply({ type: 'node-set', node: node(i) })
      const profile = makeProfile({ schedulerName: 'default-scheduler' })
      const perDecision: number[] = []
      let next = 0
      for (let run = 0; run < runs; run++) {
        const count = 100
        const started = performance.now()
        for (let i = 0; i < count; i++) {
          const given = pod(next++)
          const decision = decide(podInfoOf(given), profile, cache, Math.random)
          if (decision.node === undefined) throw new Error('the bench\'s cluster is full')
          cache.apply({ type: 'pod-set', pod: { ...given, spec: { ...given.spec, nodeName: decision.node } } })
        }
        perDecision.push((performance.now() - started) / count)
        log(`${nodes} nodes, run ${run + 1}: ${perDecision.at(-1)?.toFixed(2)} ms a decision`)
      }
      rows.push({ what: `one decision, ${nodes} nodes`, unit: 'ms', ours: perDecision })
    }
    return rows
  },
}
