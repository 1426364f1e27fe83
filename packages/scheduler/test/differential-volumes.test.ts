// A stock kube-scheduler and Berth on clusters with storage of every kind: the same nodes will do, or the same words say why none does.
import { core } from '@berth/api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decidePlain } from '../src/cycle/decide.ts'
import { misfitMessage } from '../src/cycle/fit-error.ts'
import { profileOf133 } from '../src/cycle/profile-of-1-33.ts'
import { Chance } from '../src/engine/oracle/chance.ts'
import { podInfoOf, podKey } from '../src/framework/pod-info.ts'
import { makeProfile } from '../src/framework/profile.ts'
import { kubeScheduler, minorVersion, startListeningServer, startStockScheduler, type ListeningServer, type StockScheduler } from './differential/stock-scheduler.ts'
import { addStorage, clearStorage, randomStorage } from './differential/storage-world.ts'
import { World } from './differential/world.ts'

/** BERTH_SEED repeats a run; BERTH_CLUSTERS makes it longer. */
const seed = Number(process.env['BERTH_SEED'] ?? Date.now() % 1_000_000)
const clusters = Number(process.env['BERTH_CLUSTERS'] ?? 30)
const profile = minorVersion() < 34 ? { ...profileOf133, plugins: profileOf133.plugins.filter(({ name }) => name !== 'DynamicResources') } : makeProfile({ schedulerName: 'stock' })

describe.skipIf(kubeScheduler === undefined)(`a stock kube-scheduler and storage (needs kube-scheduler; BERTH_SEED=${seed})`, () => {
  let server: ListeningServer
  let stock: StockScheduler
  let world: World

  beforeAll(async () => {
    server = await startListeningServer()
    world = new World(server.client)
    await world.prepare()
    stock = await startStockScheduler(server)
  }, 60_000)
  afterAll(async () => {
    world.stop()
    await stock.stop()
    await server.stop()
  })

  /** The nodes that will do for the stock scheduler: those it scored, or the only one that it took. Undefined where it refused the pod. */
  async function theirNodes(name: string): Promise<readonly string[] | undefined> {
    const pod = `default/${name}`
    for (const end = Date.now() + 20_000; ;) {
      const log = stock.log()
      const taken = new RegExp(`"(?:Successfully bound pod to node|BindPodVolumes)"(?: logger="[^"]*")? pod="${pod}" node="([^"]+)"`).exec(log)
      if (taken) {
        const scored = Object.values(stock.scores(pod)).flatMap((byNode) => Object.keys(byNode))
        return scored.length > 0 ? [...new Set(scored)].sort() : [taken[1] ?? '']
      }
      if ((await server.client.get(core.pods, name, { namespace: 'default' })).status?.conditions?.some((c) => c.type === 'PodScheduled' && c.status === 'False')) return undefined
      if (Date.now() > end) throw new Error(`kube-scheduler did not decide: ${log.slice(-3000)}`)
      await new Promise((resolve) => { setTimeout(resolve, 5) })
    }
  }

  test(`${clusters} clusters: the same nodes will do, or the same words say why none does`, async () => {
    const seen = { placed: 0, refused: 0, messages: new Set<string>() }
    for (let i = 0; i < clusters; i++) {
      const where = `BERTH_SEED=${seed + i} BERTH_CLUSTERS=1`
      // Names of their own: the scheduler still counts a pod whose volumes it was binding when it was deleted.
      const given = randomStorage(new Chance(seed + i), `w${i}-n`)
      await world.clear()
      await clearStorage(server.client)
      stock.forget()
      await addStorage(server.client, world.cache, given)
      for (const node of given.nodes) await world.addNode(node)
      for (const pod of given.pods) await world.run(await server.client.create(core.pods, pod), '2026-01-01T00:00:00Z')
      await stock.said(new RegExp(`"Update event for node" node="${given.nodes.at(-1)?.metadata.name}"`), 2)
      const last = given.pods.at(-1)
      if (last) await stock.said(new RegExp(`"Update event for scheduled pod" pod="${podKey(last)}"`))
      // It says nothing of storage objects that have reached it.
      await new Promise((resolve) => { setTimeout(resolve, 150) })
      const pod = await server.client.create(core.pods, given.pod)
      const ours = decidePlain(podInfoOf(pod), profile, world.cache, () => 0)
      const theirs = await theirNodes(pod.metadata.name)
      if (theirs) {
        expect(ours.node === undefined ? misfitMessage(ours.misfit) : [...ours.feasible].sort(), `${where} ${JSON.stringify(given)}`).toEqual(theirs)
        seen.placed++
      } else {
        const refused = await world.decided(pod)
        const message = refused.status?.conditions?.find((c) => c.type === 'PodScheduled')?.message ?? ''
        expect(ours.node === undefined ? misfitMessage(ours.misfit) : `placed on ${ours.node}`, `${where} ${JSON.stringify(given)}`).toBe(message)
        seen.refused++
        for (const [reason] of message.matchAll(/node\(s\)[^,.]*|pod has[^,.]*|persistentvolume[^,.]*/g)) seen.messages.add(reason.replace(/"[^"]*"/g, '…'))
      }
    }
    console.log(`decided alike: ${seen.placed} placed, ${seen.refused} refused: ${[...seen.messages].sort().join('; ')}`)
    expect(Math.min(seen.placed, seen.refused)).toBeGreaterThan(0)
  }, 600_000)
})
