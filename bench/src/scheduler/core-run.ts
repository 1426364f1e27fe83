// Runs one workload once on the decision engine, in a process of its own: core-run.ts WORKLOAD NODES PODS [PODS-BEFORE]. Prints JSON.
import { Cache, compactPod, Engine, makeProfile, podInfoOf } from '@berth/scheduler/core'
import { node, workloads } from './workloads.ts'

/** What one run came to. Decisions a second of processor time, since others may use the machine; single decisions in microseconds by the clock. */
export interface CoreRun {
  readonly decisions: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** What 10,000 node events at once and the decision after them take: the median of three; milliseconds. */
  readonly burst: number
  readonly rssMiB: number
}

/** Runs a workload; `isRehearsal`: a small one, after which the machine code is made. */
function run(name: string, nodes: number, pods: number, before: number | undefined, isRehearsal = false): CoreRun {
  const workload = workloads[name]
  if (!workload) throw new Error(`there is no workload ${name}`)
  if (!isRehearsal) run(name, 500, 3000, undefined, true)
  const cache = new Cache()
  const engine = new Engine(cache, makeProfile({ schedulerName: 'default-scheduler' }))
  for (let i = 0; i < nodes; i++) cache.apply({ type: 'node-set', node: node(i, workload.nodeLabels?.(i)) })
  for (const namespace of ['sched-0', 'sched-1']) cache.apply({ type: 'namespace-set', name: namespace, labels: { 'kubernetes.io/metadata.name': namespace } })
  const placed = before ?? workload.beforeCount(nodes)
  for (let i = 0; i < placed; i++) {
    const pod = compactPod(workload.before(i))
    cache.apply({ type: 'pod-set', pod: { ...pod, spec: { ...pod.spec, nodeName: `scheduler-perf-${i % nodes}` } } })
  }
  const count = Math.min(pods, workload.limit?.(nodes) ?? Infinity)
  // As the feed hands them on: what pods of one template have in common is there once.
  const given = Array.from({ length: count }, (_, i) => compactPod(workload.measured(i)))
  const times = new Float64Array(count)
  let sequence = 0
  // The first decision of all takes the whole cluster in: that is start-up, and not measured.
  engine.decide(podInfoOf(compactPod(workload.before(0))), Math.random)
  const started = processorTime(process.cpuUsage())
  for (let i = 0; i < count; i++) {
    const begun = performance.now()
    const pod = given[i]!
    const info = podInfoOf(pod)
    const decision = engine.decide(info, Math.random)
    if (decision.node !== undefined) cache.apply({ type: 'assume', pod: { ...pod, spec: { ...pod.spec, nodeName: decision.node } }, node: decision.node, sequence: ++sequence, info })
    else if (decision.preemption?.nominatedNode) cache.apply({ type: 'nominate', pod, node: decision.preemption.nominatedNode })
    times[i] = (performance.now() - begun) * 1000
    if (decision.node !== undefined || !decision.preemption?.nominatedNode) continue
    // The victims go, as they would once they have been told, and the pod comes back for its room. Not part of the decision on victims.
    for (const { key } of decision.preemption.victims) cache.apply({ type: 'pod-gone', key })
    const again = engine.decide(info, Math.random)
    if (again.node === undefined) throw new Error('the room that was made is not taken')
    cache.apply({ type: 'assume', pod: { ...pod, spec: { ...pod.spec, nodeName: again.node } }, node: again.node, sequence: ++sequence, info })
  }
  const seconds = (processorTime(process.cpuUsage()) - started) / 1e6
  const burst = isRehearsal ? 0 : [1, 2, 3].map((round) => burstOf(cache, engine, nodes, workload, round)).toSorted((a, b) => a - b)[1]!
  const sorted = times.toSorted()
  const rssMiB = process.memoryUsage.rss() / 2 ** 20
  return { decisions: count, perSecond: count / seconds, p50: sorted[Math.floor(count * 0.5)]!, p99: sorted[Math.floor(count * 0.99)]!, longest: sorted.at(-1)!, burst, rssMiB }
}

/** In microseconds. */
function processorTime({ user, system }: { user: number; system: number }): number {
  return user + system
}

/** A third of the events are heartbeats, the others change a label. */
function burstOf(cache: Cache, engine: Engine, nodes: number, workload: (typeof workloads)[string], round: number): number {
  const events = Array.from({ length: 10_000 }, (_, i) => node(i % nodes, { ...workload.nodeLabels?.(i % nodes), ...(i % 3 === 0 ? {} : { seen: `${round} ${i}` }) }))
  const pod = podInfoOf(compactPod(workload.measured(0)))
  const started = performance.now()
  for (const each of events) cache.apply({ type: 'node-set', node: each })
  engine.decide(pod, Math.random)
  return performance.now() - started
}

const [name = '', nodes = '', pods = '', before] = process.argv.slice(2)
console.log(JSON.stringify(run(name, Number(nodes), Number(pods), before === undefined ? undefined : Number(before))))
