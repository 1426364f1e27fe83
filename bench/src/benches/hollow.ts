import { spawn, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { core } from '@berth/api'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { startCluster, type Cluster } from '@berth/testing'
import { pace } from '../apiserver/load.ts'
import { findProgram } from '../program.ts'
import type { Bench } from '../main.ts'
import type { Row } from '../table.ts'

const nodes = 20
const namespace = 'hollow'
/** What kwok does to nodes and pods: as fast as it can, no more steps than it must. */
const stages = path.resolve(import.meta.dirname, '../../../packages/berth/test/support/kwok-stages.yaml')
/** What kwok takes a node for its own by. */
const kwokNode = 'kwok.x-k8s.io/node'

const pod = (name: string, nodeName: string): Pod => ({
  metadata: { name, namespace }, spec: { nodeName, automountServiceAccountToken: false, terminationGracePeriodSeconds: 0, containers: [{ name: 'web', image: 'registry.example/web:1' }], tolerations: [{ operator: 'Exists' }] },
})

const fakeNode = (name: string): Node => ({
  metadata: { name, annotations: { [kwokNode]: 'fake' }, labels: { type: 'kwok' } }, spec: { taints: [{ key: kwokNode, value: 'fake', effect: 'NoSchedule' }] },
  status: { capacity: { cpu: '8', memory: '32Gi', pods: '1000' }, allocatable: { cpu: '8', memory: '32Gi', pods: '1000' } },
})

/** Creates pods that have their node already, and counts until all of them run; pods a second. */
async function running(cluster: Cluster, count: number, run: string, nodeOf: (i: number) => string): Promise<number> {
  const abort = new AbortController()
  const seen = new Set<string>()
  const { resourceVersion } = (await cluster.client.list(core.pods, { namespace })).metadata
  const all = (async () => {
    for await (const { object } of cluster.client.watch(core.pods, { namespace, ...(resourceVersion !== undefined && { resourceVersion }), signal: abort.signal })) {
      if (object.status?.phase === 'Running') seen.add(object.metadata.name)
      if (seen.size === count) return
    }
  })()
  const started = performance.now()
  await pace(count, 16, (i) => cluster.client.create(core.pods, pod(`${run}-${i}`, nodeOf(i))))
  await all
  const perSecond = count / ((performance.now() - started) / 1000)
  abort.abort()
  await cluster.client.deleteCollection(core.pods, { namespace, gracePeriodSeconds: 0 })
  for (const end = Date.now() + 60_000; (await cluster.client.list(core.pods, { namespace })).items.length > 0;) {
    if (Date.now() > end) throw new Error('pods do not go')
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
  return perSecond
}

function startKwok(program: string, cluster: Cluster, log: string): ChildProcess {
  const file = fs.openSync(log, 'w')
  const child = spawn(program, ['--kubeconfig', cluster.kubeconfigPath, '--manage-nodes-with-annotation-selector', `${kwokNode}=fake`, '--node-lease-duration-seconds', '40', '--config', stages], { stdio: ['ignore', file, file], env: { PATH: process.env['PATH'], HOME: path.dirname(log) } })
  fs.closeSync(file)
  return child
}

/** Pods that begin to run on nodes without machines: Berth's of @berth/testing, in the server's own process, and kwok's, on the same API server in turns. */
export const hollow: Bench = {
  summary: `pods Running on ${nodes} hollow nodes, on one API server whose writes are durable (peer: kwok)`,
  async run({ runs, size, log }) {
    const directory = fs.mkdtempSync(path.join('/var/tmp', 'berth-bench-'))
    const cluster = await startCluster({ dataDir: path.join(directory, 'data'), nodes: { count: nodes, name: 'hollow', capacity: { pods: '1000' } } })
    const kwok = findProgram('kwok')
    const kwokLog = path.join(directory, 'kwok.log')
    let child: ChildProcess | undefined
    try {
      await cluster.client.create(core.namespaces, { metadata: { name: namespace }, spec: {} })
      await cluster.waitFor(`serviceaccount/default`, (account) => account !== undefined, { namespace })
      if (kwok !== undefined) {
        for (let i = 1; i <= nodes; i++) await cluster.client.create(core.nodes, fakeNode(`kwok-${i}`))
        child = startKwok(kwok, cluster, kwokLog)
        await cluster.waitFor(`node/kwok-${nodes}`, 'condition=Ready', { timeout: 60_000 }).catch((error: unknown) => {
          throw new Error(`kwok does nothing: ${fs.readFileSync(kwokLog, 'utf8').slice(-2000)}`, { cause: error })
        })
      }
      const ours: number[] = []
      const peer: number[] = []
      const count = 500 * size
      for (let run = 0; run <= runs; run++) {
        for (const [name, found] of [['hollow', ours], ['kwok', peer]] as const) {
          if (name === 'kwok' && child === undefined) continue
          const perSecond = await running(cluster, count, `${name}-${run}`, (i) => `${name}-${(i % nodes) + 1}`)
          // The first run warms up, both alike.
          if (run > 0) found.push(perSecond)
          log(`${name}, run ${run}: ${perSecond.toFixed(0)} pods/s`)
        }
      }
      const row: Row = { what: `pods created and Running, ${count}`, unit: '/s', ours, ...(peer.length > 0 && { peer }) }
      return [row]
    } finally {
      child?.kill('SIGTERM')
      await cluster.stop()
      fs.rmSync(directory, { recursive: true, force: true })
    }
  },
}
