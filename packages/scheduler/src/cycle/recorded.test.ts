// Replays what a stock kube-scheduler decided on random clusters (BERTH_PARITY/scheduler/decisions.json).
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Affinity, Node, Pod } from '@berth/api/types/core/v1'
import { Cache } from '../cache/cache.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { Engine } from '../engine/index.ts'
import { decidePlain } from './decide.ts'
import { misfitMessage } from './fit-error.ts'
import { profileOf133 } from './profile-of-1-33.ts'

interface Recorded { pod: Pod; feasible: string[]; node?: string; message?: string; scores?: Record<string, Record<string, number>>; matchLabelKeysExpanded?: Affinity }
interface Cluster { nodes: Node[]; namespaces: Record<string, Record<string, string>>; decisions: Recorded[] }

const folder = process.env.BERTH_PARITY
const file = folder ? path.join(folder, 'scheduler/decisions.json') : ''

describe.skipIf(!folder || !fs.existsSync(file))('recorded decisions of kube-scheduler (needs BERTH_PARITY)', () => {
  const clusters = folder && fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { clusters: Cluster[] }).clusters : []
  test.each(clusters.map((cluster, i) => ({ i, cluster })))('cluster $i: the same feasible nodes, scores and messages', ({ cluster }) => {
    const cache = new Cache()
    const engine = new Engine(cache, profileOf133)
    for (const node of cluster.nodes) cache.apply({ type: 'node-set', node: { ...node, spec: node.spec ?? {} } })
    for (const [name, labels] of Object.entries(cluster.namespaces)) cache.apply({ type: 'namespace-set', name, labels: { ...labels, 'kubernetes.io/metadata.name': name } })
    for (const recorded of cluster.decisions) {
      const pod: Pod = recorded.matchLabelKeysExpanded ? { ...recorded.pod, spec: { ...recorded.pod.spec, affinity: { ...recorded.pod.spec.affinity, ...recorded.matchLabelKeysExpanded } } } : recorded.pod
      const decision = decidePlain(podInfoOf(pod), profileOf133, cache, () => 0)
      const name = pod.metadata.name
      if (recorded.node === undefined) {
        for (const each of [decision, engine.decide(podInfoOf(pod), () => 0), engine.decide(podInfoOf(pod), () => 0)]) {
          expect({ name, message: each.node === undefined ? misfitMessage(each.misfit) : `placed on ${each.node}` }).toEqual({ name, message: recorded.message })
        }
        continue
      }
      expect({ name, feasible: decision.node === undefined ? misfitMessage(decision.misfit) : [...decision.feasible].sort() }).toEqual({ name, feasible: [...recorded.feasible].sort() })
      if (decision.node !== undefined && recorded.scores) {
        const scores: Record<string, Record<string, number>> = {}
        for (const { node, byPlugin } of decision.scores) for (const [plugin, score] of Object.entries(byPlugin)) (scores[plugin] ??= {})[node] = score
        expect({ name, scores }).toEqual({ name, scores: recorded.scores })
        const best = Math.max(...decision.scores.map((s) => s.total))
        expect(decision.scores.find((s) => s.node === recorded.node)?.total).toBe(best)
      }
      // The engine on the same cache: first a pod that it has not seen the like of, then one that it has.
      for (let again = 0; again < 2; again++) {
        const fast = engine.decide(podInfoOf(pod), () => 0)
        if (fast.node === undefined) throw new Error(`the engine finds no node for ${name}: ${misfitMessage(fast.misfit)}`)
        expect({ name, feasible: fast.feasible }).toEqual({ name, feasible: recorded.feasible.length })
        for (const { node, byPlugin } of fast.best) for (const [plugin, score] of Object.entries(byPlugin)) expect({ name, node, plugin, score }).toEqual({ name, node, plugin, score: recorded.scores?.[plugin]?.[node] })
        const totalOf = (node: string): number => Object.values(recorded.scores ?? {}).reduce((sum, scores) => sum + (scores[node] ?? 0), 0)
        expect({ name, total: totalOf(fast.node) }).toEqual({ name, total: totalOf(recorded.node) })
      }
      cache.apply({ type: 'pod-set', pod: { ...pod, spec: { ...pod.spec, nodeName: recorded.node } } })
    }
  })
})
