// A stock kube-scheduler and Berth on newly generated clusters: each decision of the one is what the other would have taken.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decidePlain } from '../src/cycle/decide.ts'
import { misfitMessage } from '../src/cycle/fit-error.ts'
import { profileOf133 } from '../src/cycle/profile-of-1-33.ts'
import { Chance } from '../src/engine/oracle/chance.ts'
import { randomCase } from '../src/engine/oracle/random-case.ts'
import { randomTemplate } from '../src/engine/oracle/random-pod.ts'
import { podInfoOf, podKey } from '../src/framework/pod-info.ts'
import { makeProfile } from '../src/framework/profile.ts'
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
          // Its victims are gone at once here, and it follows them.
          const { spec: { nodeName } } = await world.placed(pod)
          expect({ node: nodeName, victims: world.missing(placed) }, where).toEqual({ node: ours.node === undefined ? ours.preemption?.nominatedNode : '', victims })
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
