// Replays what a stock kube-scheduler preempted in small full clusters (BERTH_PARITY/scheduler/preemptions.json).
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { Cache } from '../cache/cache.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { Engine } from '../engine/index.ts'
import { decidePlain } from './decide.ts'
import type { Decision } from './decision.ts'
import { misfitMessage } from './fit-error.ts'
import { profileOf133 } from './profile-of-1-33.ts'

interface Recorded { nodes: Node[]; pods: Pod[]; pod: Pod; disruptionBudgets: PodDisruptionBudget[]; result: { nominatedNode?: string; victims?: string[]; message: string } }

/** What the cluster's PriorityClasses were. */
const priorities: Record<string, number> = { 'pr-low': 10, 'pr-mid': 100, 'pr-high': 1000, 'pr-top': 5000, 'pr-polite': 4000 }
const admitted = (pod: Pod): Pod => ({ ...pod, spec: { ...pod.spec, priority: priorities[pod.spec.priorityClassName ?? ''] ?? 0, ...(pod.spec.priorityClassName === 'pr-polite' ? { preemptionPolicy: 'Never' as const } : {}) } })

const folder = process.env.BERTH_PARITY
const file = folder ? path.join(folder, 'scheduler/preemptions.json') : ''

describe.skipIf(!folder || !fs.existsSync(file))('recorded preemptions of kube-scheduler (needs BERTH_PARITY)', () => {
  const cases = folder && fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as { cases: Recorded[] }).cases : []
  const ways: Readonly<Record<string, (cache: Cache, pod: Pod) => Decision | ReturnType<typeof decidePlain>>> = {
    'the plain path': (cache, pod) => decidePlain(podInfoOf(pod), profileOf133, cache, () => 0),
    'the engine': (cache, pod) => new Engine(cache, profileOf133).decide(podInfoOf(pod), () => 0),
  }
  test.each(Object.keys(ways).flatMap((way) => cases.map((recorded, i) => ({ way, i, recorded }))))('cluster $i, $way: the same node and victims, or the same message', ({ way, recorded }) => {
    const cache = new Cache()
    for (const node of recorded.nodes) cache.apply({ type: 'node-set', node })
    for (const pod of recorded.pods) cache.apply({ type: 'pod-set', pod: admitted(pod) })
    for (const budget of recorded.disruptionBudgets) cache.apply({ type: 'budget-set', budget })
    const decision = ways[way]!(cache, admitted(recorded.pod))
    if (decision.node !== undefined) throw new Error(`placed on ${decision.node}`)
    const { preemption, misfit } = decision
    expect({
      message: misfitMessage(misfit),
      ...(preemption?.nominatedNode ? { nominatedNode: preemption.nominatedNode, victims: preemption.victims.map(({ pod }) => pod.metadata.name).sort() } : {}),
    }).toEqual({ ...recorded.result, ...(recorded.result.victims ? { victims: [...recorded.result.victims].sort() } : {}) })
  })
})
