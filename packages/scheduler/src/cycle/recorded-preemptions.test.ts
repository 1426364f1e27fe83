// Replays what a stock kube-scheduler preempted in small full clusters (BERTH_PARITY/scheduler/preemptions.json).
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '@berth/api/types/core/v1'
import type { PodDisruptionBudget } from '@berth/api/types/policy/v1'
import { Cache } from '../cache/cache.ts'
import { podInfoOf } from '../framework/pod-info.ts'
import { decide } from './decide.ts'
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
  test.each(cases.map((recorded, i) => ({ i, recorded })))('cluster $i: the same node and victims, or the same message', ({ recorded }) => {
    const cache = new Cache()
    for (const node of recorded.nodes) cache.apply({ type: 'node-set', node })
    for (const pod of recorded.pods) cache.apply({ type: 'pod-set', pod: admitted(pod) })
    for (const budget of recorded.disruptionBudgets) cache.apply({ type: 'budget-set', budget })
    const decision = decide(podInfoOf(admitted(recorded.pod)), profileOf133, cache, () => 0)
    if (decision.node !== undefined) throw new Error(`placed on ${decision.node}`)
    const { preemption, misfit } = decision
    expect({
      message: misfitMessage(misfit),
      ...(preemption?.nominatedNode ? { nominatedNode: preemption.nominatedNode, victims: preemption.victims.map(({ pod }) => pod.metadata.name).sort() } : {}),
    }).toEqual({ ...recorded.result, ...(recorded.result.victims ? { victims: [...recorded.result.victims].sort() } : {}) })
  })
})
