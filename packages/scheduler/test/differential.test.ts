// A stock kube-scheduler and Berth on newly generated clusters: each decision of the one is what the other would have taken.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { core } from '@berth/api'
import type { Pod } from '@berth/api/types/core/v1'
import { fakeClock } from '@berth/kube'
import { decidePlain } from '../src/cycle/decide.ts'
import { misfitMessage } from '../src/cycle/fit-error.ts'
import { profileOf133 } from '../src/cycle/profile-of-1-33.ts'
import { Chance } from '../src/engine/oracle/chance.ts'
import { randomCase } from '../src/engine/oracle/random-case.ts'
import { randomTemplate } from '../src/engine/oracle/random-pod.ts'
import { podInfoOf, podKey } from '../src/framework/pod-info.ts'
import { makeProfile } from '../src/framework/profile.ts'
import { prioritySort } from '../src/plugins/priority-sort.ts'
import { SchedulingQueue } from '../src/queue/scheduling-queue.ts'
import { kubeScheduler, minorVersion, startListeningServer, startStockScheduler, type ListeningServer, type StockScheduler } from './differential/stock-scheduler.ts'
import { World } from './differential/world.ts'

/** BERTH_SEED repeats a run; BERTH_CLUSTERS makes it longer. */
const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 1_000_000)
const clusters = Number(process.env['BERTH_CLUSTERS'] ?? 25)
const podsEach = 8

/** Device claims are part of the default profile since 1.34, and say so in every message. */
const profile = minorVersion() < 34 ? { ...profileOf133, plugins: profileOf133.plugins.filter(({ name }) => name !== 'DynamicResources') } : makeProfile({ schedulerName: 'stock' })

describe.skipIf(kubeScheduler === undefined)(`a stock kube-scheduler (needs kube-scheduler; BERTH_SEED=${seed})`, () => {
  let server: ListeningServer
  let stock: StockScheduler
  let world: World

  beforeAll(async () => {
    server = await startListeningServer()
    world = new World(server.client)
    await world.prepare()
    stock = await startStockScheduler(server)
  })
  afterAll(async () => {
    world.stop()
    await stock.stop()
    await server.stop()
  })

  /**
   * Waits until the scheduler has taken in all nodes and pods, by its log: a pod that came too early would let it decide, and its count of
   * the nodes that have an image is as old as its last look at each node.
   */
  async function settled(nodes: readonly string[], placed: ReadonlySet<string>): Promise<void> {
    const lastNode = nodes.at(-1)
    const lastPod = [...placed].at(-1)
    if (lastNode !== undefined) await stock.said(new RegExp(`"Update event for node" node="${lastNode}"`), 2)
    if (lastPod !== undefined) await stock.said(new RegExp(`"Update event for scheduled pod" pod="${lastPod}"`))
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }

  async function makeCluster(chance: Chance): Promise<{ nodes: string[]; placed: Set<string> }> {
    await world.clear()
    stock.forget()
    const { steps } = randomCase(chance.below(2 ** 31), 1)
    for (const step of steps) {
      if (step.type === 'service-set') await world.addService(step.service)
      if (step.type === 'owner-set') await world.addOwner(step.key, step.selector)
    }
    const nodes: string[] = []
    for (const step of steps) {
      if (step.type !== 'node-set' || nodes.includes(step.node.metadata.name)) continue
      await world.addNode(step.node)
      nodes.push(step.node.metadata.name)
    }
    const known = new Set<string>()
    const placed = new Set<string>()
    for (const step of steps) {
      if (step.type !== 'pod-set' || known.has(step.pod.metadata.name)) continue
      known.add(step.pod.metadata.name)
      const { deletionTimestamp: _, ...metadata } = step.pod.metadata
      if (await world.place({ ...step.pod, metadata }, metadata.name, step.pod.spec.nodeName ?? '', step.pod.status?.startTime ?? '')) placed.add(podKey(step.pod))
    }
    await settled(nodes, placed)
    return { nodes, placed }
  }

  test(`${clusters} clusters: the same feasible nodes, a node of the best score, the same words, the same victims`, async () => {
    const seen = { placed: 0, refused: 0, preempted: 0 }
    for (let i = 0; i < clusters; i++) {
      const chance = new Chance(seed + i)
      const { nodes, placed } = await makeCluster(chance)
      for (let p = 0; p < podsEach; p++) {
        const pod = await world.create(randomTemplate(chance, nodes), `d${p}`, { schedulerName: 'stock' })
        if (!pod) continue
        const ours = decidePlain(podInfoOf(pod), profile, world.cache, () => 0)
        const victims = ours.node === undefined ? ours.preemption?.victims.map(({ key }) => key).sort() ?? [] : []
        const where = `BERTH_SEED=${seed + i} BERTH_CLUSTERS=1, pod d${p}: ${JSON.stringify(pod.spec)}`
        if (victims.length > 0) {
          expect(await world.preempted(pod, victims.length, placed), where).toEqual({ node: ours.node === undefined ? ours.preemption?.nominatedNode : '', victims })
          seen.preempted++
          break
        }
        const theirs = await world.decided(pod)
        if (theirs.spec.nodeName) {
          await stock.said(new RegExp(`"Successfully bound pod to node" pod="${podKey(pod)}"`))
          expect(scoresOf(ours), where).toEqual(stock.scores(podKey(pod)))
          expect(ours.node === undefined ? [misfitMessage(ours.misfit)] : bestOf(ours), where).toContain(theirs.spec.nodeName)
          // Whoever starts first among equals is decided by when it was looked at, where a pod has no start time: here each has one.
          await world.run(theirs, `2026-01-01T1${p}:00:00Z`)
          await stock.said(new RegExp(`"Update event for scheduled pod" pod="${podKey(pod)}"`))
          placed.add(podKey(theirs))
          seen.placed++
          continue
        }
        const message = theirs.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message
        expect(ours.node === undefined ? misfitMessage(ours.misfit) : `placed on ${ours.node}`, where).toBe(message)
        expect(theirs.status?.nominatedNodeName, where).toBeUndefined()
        seen.refused++
        await world.remove(theirs)
      }
    }
    console.log(`decided alike: ${seen.placed} placed, ${seen.refused} refused, ${seen.preempted} with preemption`)
    expect(Math.min(seen.placed, seen.refused)).toBeGreaterThan(0)
  }, 600_000)

  test('full clusters: the same victims on the same node, budgets heeded', async () => {
    let preempted = 0
    for (let i = 0; i < clusters; i++) {
      const chance = new Chance(seed + 500_000 + i)
      await world.clear()
      stock.forget()
      const nodes = Array.from({ length: 2 + chance.below(4) }, (_, n) => `full-${n}`)
      for (const name of nodes) await world.addNode({ metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {}, status: { allocatable: { cpu: '4', memory: '8Gi', pods: '20' } } })
      const placed = new Set<string>()
      // No two start at the same time: else nothing would tell some candidates apart.
      let minute = 0
      for (const node of nodes) {
        for (let left = 4000; left > 0;) {
          const milli = Math.min(left, chance.of([500, 1000, 2000, 4000]))
          left -= milli
          const name = `filler-${placed.size}`
          const template = sized(milli, { app: chance.of(['a', 'b', 'c']) }, chance.of([0, 0, 10, 10, 100]))
          if (await world.place(template, name, node, `2026-01-01T${String(Math.floor(minute / 60)).padStart(2, '0')}:${String((minute++ * 7) % 60).padStart(2, '0')}:${String(chance.below(60)).padStart(2, '0')}Z`)) placed.add(`default/${name}`)
        }
      }
      for (const app of chance.some(['a', 'b'], 0.5)) {
        await world.addBudget({ metadata: { name: `budget-${app}`, namespace: 'default' }, spec: { selector: { matchLabels: { app } } }, status: { disruptionsAllowed: chance.below(3), currentHealthy: 3, desiredHealthy: 1, expectedPods: 3 } })
      }
      await settled(nodes, placed)
      const pod = await world.create(sized(chance.of([500, 1500, 2000, 3000, 4000, 5000]), {}, chance.of([10, 100, 1000])), 'taker', { schedulerName: 'stock' })
      if (!pod) throw new Error('the pod was refused')
      const ours = decidePlain(podInfoOf(pod), profile, world.cache, () => 0)
      if (ours.node !== undefined) throw new Error(`there is room on ${ours.node}`)
      const where = `BERTH_SEED=${seed + i} BERTH_CLUSTERS=1, full clusters`
      const victims = ours.preemption?.victims.map(({ key }) => key).sort() ?? []
      if (victims.length === 0) {
        const theirs = await world.decided(pod)
        expect(theirs.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message, where).toBe(misfitMessage(ours.misfit))
        continue
      }
      expect(await world.preempted(pod, victims.length, placed), where).toEqual({ node: ours.preemption?.nominatedNode, victims })
      preempted++
    }
    console.log(`${preempted} of ${clusters} pods preempted alike`)
    expect(preempted).toBeGreaterThan(0)
  }, 600_000)

  test('pods that wait at the start are taken up in the same order', async () => {
    await world.clear()
    const chance = new Chance(seed)
    const clock = fakeClock()
    const plugins = [prioritySort()]
    const queue = new SchedulingQueue({ clock, less: (a, b) => plugins[0]?.less?.(a, b) ?? false, pluginsOf: () => plugins, initialBackoffMs: 1000, maxBackoffMs: 10_000, maxUnschedulableMs: 300_000, popsFromBackoff: false, onReady: () => undefined })
    for (let i = 0; i < 40; i++) await world.create(sized(100, {}, chance.of([0, 10, 100, 1000])), `waiting-${chance.below(1_000_000)}`, { schedulerName: 'late' })
    const { items } = await server.client.list(core.pods, { namespace: 'default' })
    for (const pod of items) {
      queue.add(podInfoOf(pod))
      await clock.advance(1)
    }
    const ours: string[] = []
    for (let next = queue.pop(); next; next = queue.pop()) ours.push(next.info.pod.metadata.name)
    const late = await startStockScheduler(server, 'late')
    try {
      await late.said(/"Attempting to schedule pod"/, items.length)
      expect([...late.log().matchAll(/"Attempting to schedule pod" pod="default\/([^"]+)"/g)].map(([, name]) => name).slice(0, items.length)).toEqual(ours)
    } finally {
      await late.stop()
    }
  })

  /** A pod of one size, which is all that counts. */
  function sized(milli: number, labels: Record<string, string>, priority: number): Pod {
    return { metadata: { name: '', namespace: 'default', labels }, spec: { priority, containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: `${milli}m` } } }] } }
  }

  /** What each plugin gave to each node. */
  function scoresOf(decision: ReturnType<typeof decidePlain>): Record<string, Record<string, number>> {
    const found: Record<string, Record<string, number>> = {}
    if (decision.node !== undefined) for (const { node, byPlugin } of decision.scores) for (const [plugin, score] of Object.entries(byPlugin)) (found[plugin] ??= {})[node] = score
    return found
  }

  /** The nodes with the best total: any of them is right. */
  function bestOf(decision: Exclude<ReturnType<typeof decidePlain>, { node?: undefined }>): string[] {
    if (decision.scores.length === 0) return [...decision.feasible]
    const best = Math.max(...decision.scores.map(({ total }) => total))
    return decision.scores.filter(({ total }) => total === best).map(({ node }) => node)
  }
})
