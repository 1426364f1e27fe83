import { execFileSync } from 'node:child_process'
import path from 'node:path'
import type { Bench } from '../main.ts'
import type { Row } from '../table.ts'
import type { CoreRun } from './core-run.ts'
import { workloads } from './workloads.ts'

const program = path.join(import.meta.dirname, 'core-run.ts')

function runOnce(workload: string, nodes: number, pods: number, before?: number): CoreRun {
  const args = [program, workload, String(nodes), String(pods), ...(before === undefined ? [] : [String(before)])]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as CoreRun
}

const large = 50_000
/** At 50,000 nodes there are three pods for each in the end, where a node takes any number of them. */
const podsAt = (workload: string, nodes: number): number => (nodes >= large && workload === 'EveryPodDiffers' ? 2000 : 10_000)
const beforeAt = (workload: string, nodes: number): number | undefined => (nodes < large || workloads[workload]?.limit ? undefined : 3 * nodes - podsAt(workload, nodes))

/** The decision engine alone, each workload in a process of its own; rounds are interleaved. */
export const schedulerCore: Bench = {
  summary: 'core: the decision engine alone (peer: kube-scheduler has no engine that runs alone)',
  async run({ runs, size, log }) {
    const cases = [
      ...[500, 5000, 50_000].flatMap((nodes) => Object.keys(workloads).map((workload) => ({ workload, nodes: nodes * size }))),
      // Growth: 1x, 4x, 16x.
      ...[1250, 20_000].map((nodes) => ({ workload: 'SchedulingBasic', nodes: nodes * size })),
    ]
    const results = new Map<string, CoreRun[]>()
    for (let run = 0; run < runs; run++) {
      for (const { workload, nodes } of cases) {
        // What takes long is run less often.
        if (nodes >= large && run >= Math.max(1, Math.ceil(runs * 0.6))) continue
        const key = `${workload}, ${nodes} nodes`
        const result = runOnce(workload, nodes, podsAt(workload, nodes), beforeAt(workload, nodes))
        results.set(key, [...(results.get(key) ?? []), result])
        log(`run ${run + 1}, ${key}: ${result.perSecond.toFixed(0)}/s, p50 ${result.p50.toFixed(1)} us, p99 ${result.p99.toFixed(0)} us, RSS ${result.rssMiB.toFixed(0)} MiB`)
      }
    }
    return [...results].flatMap(([key, all]): Row[] => [
      { what: key, unit: 'decisions/s', ours: all.map(({ perSecond }) => perSecond) },
      { what: '  one decision, p50', unit: 'us', ours: all.map(({ p50 }) => p50) },
      { what: '  one decision, p99', unit: 'us', ours: all.map(({ p99 }) => p99) },
      { what: '  the longest', unit: 'ms', ours: all.map(({ longest }) => longest / 1000) },
      { what: '  10,000 node events and the next decision', unit: 'ms', ours: all.map(({ burst }) => burst) },
      { what: '  RSS', unit: 'MiB', ours: all.map(({ rssMiB }) => rssMiB) },
    ])
  },
}
