import { setTimeout as sleep } from 'node:timers/promises'
import { spread } from '../table.ts'
import type { Contender, Server } from './contenders.ts'
import { pace } from './load.ts'
import { kinds, type Kind } from './objects.ts'
import { empty, type Figures, type Setup } from './stations.ts'

const windowSeconds = 10
const nodes = 5000
const pods = 110 * 50
/** Of 110 pods on 50 nodes one in a hundred ends and begins anew each second. */
const replacedPerSecond = pods / 100

interface Plan { readonly server: Server; readonly leases: Kind; readonly pods: Kind }

/** Calls back `perSecond` times a second, evenly, for the window; resolves when all have answered. What cannot be kept up is late, not dropped. */
async function paced(perSecond: number, act: (i: number) => Promise<unknown>): Promise<void> {
  const started = performance.now()
  const running: Promise<unknown>[] = []
  for (let i = 0; i < perSecond * windowSeconds; i++) {
    const due = started + (i / perSecond) * 1000
    const early = due - performance.now()
    if (early > 1) await sleep(early)
    running.push(act(i))
  }
  await Promise.all(running)
}

type Read = { metadata: Record<string, unknown>; spec: Record<string, unknown>; status?: Record<string, unknown> }

/** One pod's life: it goes, a new one is created, gets its node, and runs. Five writes. */
async function replace({ server, pods: kind }: Plan, index: number): Promise<void> {
  const collection = kind.collection('load')
  const path = `${collection}/pod-${index}`
  const json = { 'content-type': 'application/merge-patch+json' }
  await server.load.must('DELETE', kind.name === 'pods' ? `${path}?gracePeriodSeconds=0` : path)
  await server.load.must('POST', collection, JSON.stringify(kind.make(index, 'load')))
  if (kind.name === 'pods') await server.load.must('POST', `${path}/binding`, JSON.stringify({ apiVersion: 'v1', kind: 'Binding', metadata: { name: `pod-${index}` }, target: { kind: 'Node', name: `node-${index % 50}` } }))
  else await server.load.must('PATCH', path, JSON.stringify({ spec: { nodeName: `node-${index % 50}` } }), json)
  const status = (phase: string, ready: string): string => JSON.stringify({ status: { phase, conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: ready, lastTransitionTime: '2026-11-21T12:00:00Z' })), podIP: '10.0.0.7', startTime: '2026-11-21T12:00:00Z' } })
  await server.load.must('PATCH', `${path}/status`, status('Pending', 'False'), json)
  await server.load.must('PATCH', `${path}/status`, status('Running', 'True'), json)
}

/** 5,000 Leases renewed every 10 s while pods of 50 nodes come and go; what share of a core the server takes for it. */
export async function standingLoad({ runs, log }: Setup, running: ReadonlyMap<Contender, Server>, figures: Figures): Promise<void> {
  const plans = [...running].flatMap(([contender, server]) => [
    { contender, server, leases: kinds.leaselikes, pods: kinds.podlikes }, ...(contender.servesBuiltIn ? [{ contender, server, leases: kinds.leases, pods: kinds.pods }] : []),
  ])
  const written = new Map<Plan, Read[]>()
  for (const plan of plans) {
    const { server, leases, pods: pod } = plan
    const made: Read[] = []
    await pace(nodes, 16, async (i) => { made[i] = JSON.parse((await server.load.must('POST', leases.collection('load'), JSON.stringify(leases.make(i, 'load')))).toString()) as Read })
    await pace(pods, 16, (i) => server.load.must('POST', pod.collection('load'), JSON.stringify(pod.make(i, 'load'))))
    written.set(plan, made)
  }
  for (let run = 0; run < runs; run++) {
    for (const plan of plans) {
      const { contender, server, leases } = plan
      const made = written.get(plan) ?? []
      const late: number[] = []
      const cpu = server.cpuSeconds()
      const started = performance.now()
      await Promise.all([
        paced(nodes / windowSeconds, async (i) => {
          const { metadata, ...rest } = made[i] ?? { metadata: {}, spec: {} }
          const begun = performance.now()
          const answer = await server.load.must('PUT', `${leases.collection('load')}/node-${i}`, JSON.stringify({ ...rest, metadata, spec: { ...rest.spec, renewTime: new Date().toISOString().replace('Z', '000Z') } }))
          late.push(performance.now() - begun)
          made[i] = JSON.parse(answer.toString()) as Read
        }),
        paced(replacedPerSecond, (i) => replace(plan, (run * replacedPerSecond * windowSeconds + i) % pods)),
      ])
      const seconds = (performance.now() - started) / 1000
      const share = ((server.cpuSeconds() - cpu) / seconds) * 100
      figures.add('5,000 Lease renewals/10 s, 110 pods x 50 nodes churn: share of a core', '%', { contender, kind: plan.pods }, share)
      figures.add('the same: CPU a write', 'ms', { contender, kind: plan.pods }, ((server.cpuSeconds() - cpu) / (nodes + 5 * replacedPerSecond * windowSeconds)) * 1000)
      figures.add('the same: a renewal, median', 'ms', { contender, kind: plan.pods }, spread(late).median)
      figures.add('the same: RSS', 'MiB', { contender, kind: plan.pods }, server.rssMiB())
      log(`load, ${contender.name}, ${plan.pods.name}, run ${run + 1}: ${share.toFixed(1)} % of a core, ${seconds.toFixed(1)} s`)
    }
  }
  for (const { contender, server, leases, pods: pod } of plans) for (const kind of [leases, pod]) await empty({ contender, server, kind }, 'load')
}
