import type { Row } from '../table.ts'
import { BenchCluster } from './whole/cluster.ts'
import { contenders, kubeScheduler, startScheduler, type Contender } from './whole/processes.ts'
import { node, workloads } from './workloads.ts'

/** What one run of one scheduler came to. */
interface WholeRun {
  /** Processor time of the scheduler for each pod; ms. */
  readonly cpuPerPod: number
  readonly podsPerSecond: number
  readonly rssMiB: number
}

/** The workloads that are run whole, by upstream's names. Those that need many pods of each kind placed before are kept to the core's bench. */
const names = ['SchedulingBasic', 'TopologySpreading', 'SchedulingPodAntiAffinity', 'SchedulingPreferredPodAffinity', 'PreferredTopologySpreading', 'SchedulingNodeAffinity'] as const

async function run(cluster: BenchCluster, name: (typeof names)[number], contender: Contender, pods: number): Promise<WholeRun> {
  const workload = workloads[name]
  if (!workload) throw new Error(`there is no workload ${name}`)
  const scheduler = startScheduler(contender, cluster.kubeconfig, cluster.directory)
  try {
    // It knows the cluster once it has placed a pod.
    await cluster.warmUp({ metadata: { name: `warm-${contender}`, namespace: 'warm' }, spec: { schedulerName: contender, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'registry.k8s.io/pause:3.10.1' }] } })
    const cpu = scheduler.cpuSeconds()
    const started = performance.now()
    const creating = cluster.createPods(pods, (i) => {
      const pod = workload.measured(i)
      return { ...pod, metadata: { ...pod.metadata, namespace: 'sched-1' }, spec: { ...pod.spec, schedulerName: contender } }
    })
    await Promise.all([creating, cluster.whenBound(pods, 600)])
    const seconds = (performance.now() - started) / 1000
    return { cpuPerPod: ((scheduler.cpuSeconds() - cpu) / pods) * 1000, podsPerSecond: pods / seconds, rssMiB: scheduler.rssMiB() }
  } finally {
    await scheduler.stop()
    await cluster.removePods()
  }
}

/**
 * The scheduler as a process against Berth's API server, and kube-scheduler against the same server and objects, in turns. Pods are created by 16
 * writers while the scheduler runs; both have the defaults of their profile (kube-scheduler samples nodes above 100, Berth does not).
 */
export async function whole({ runs, size, log, only }: { runs: number; size: number; log: (line: string) => void; only?: string | undefined }): Promise<Row[]> {
  const nodes = 500 * size
  const rows: Row[] = []
  for (const name of names.filter((each) => only === undefined || only.split(',').includes(each))) {
    const workload = workloads[name]
    if (!workload) continue
    const pods = Math.min(2 * nodes, workload.limit?.(nodes) ?? Infinity, name === 'SchedulingBasic' ? 5000 : 2000)
    const cluster = await BenchCluster.start()
    try {
      await cluster.addNodes(nodes, (i) => node(i, workload.nodeLabels?.(i)))
      await cluster.createPods(workload.beforeCount(nodes), (i) => {
        const pod = workload.before(i)
        return { ...pod, metadata: { ...pod.metadata, namespace: 'sched-0' }, spec: { ...pod.spec, nodeName: `scheduler-perf-${i % nodes}` } }
      })
      const found: Record<Contender, WholeRun[]> = { berth: [], stock: [] }
      for (let i = 0; i < runs; i++) {
        for (const contender of contenders) {
          if (contender === 'stock' && kubeScheduler === undefined) continue
          const one = await run(cluster, name, contender, pods)
          found[contender].push(one)
          log(`${name}, ${nodes} nodes, ${pods} pods, ${contender}, run ${i + 1}: ${one.cpuPerPod.toFixed(2)} ms CPU a pod, ${one.podsPerSecond.toFixed(0)} pods/s, ${one.rssMiB.toFixed(0)} MiB`)
        }
      }
      const row = (what: string, unit: string, of: keyof WholeRun): Row => ({
        what: `whole, ${name}, ${nodes} nodes, ${pods} pods: ${what}`, unit, ours: found.berth.map((one) => one[of]), ...(found.stock.length > 0 ? { peer: found.stock.map((one) => one[of]) } : {}),
      })
      rows.push(row('CPU a pod', 'ms', 'cpuPerPod'), row('pods bound', '/s', 'podsPerSecond'), row('RSS', 'MiB', 'rssMiB'))
    } finally {
      await cluster.stop()
    }
  }
  return rows
}
