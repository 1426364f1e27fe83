import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSchedulerConfig } from '../../config/config.ts'
import { decidePlain } from '../../cycle/decide.ts'
import { misfitMessage } from '../../cycle/fit-error.ts'
import { Engine } from '../../engine/index.ts'
import { podInfoOf } from '../../framework/pod-info.ts'
import { makeProfile } from '../../framework/profile.ts'
import { resourceKey } from '../../framework/resource-key.ts'
import { nodeMetrics } from '../real-load.ts'
import { clusterOf, nodeOf, podOf, type GivenPod } from './scores.test-support.ts'

const examples = join(import.meta.dirname, '../../../../../examples/scheduler')

/** A small generator whose numbers are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.trunc((state / 2 ** 32) * below)
  }
}

// The engine remembers what pods that look alike came to: these plugins look at owners, annotations and groups.
test.each(readdirSync(examples))('%s: the engine decides as the plain path does, for pods that differ in what these plugins alone read', async (file) => {
  for (const config of (await readSchedulerConfig(join(examples, file))).profiles) {
    for (let seed = 1; seed <= 4; seed++) {
      const pick = numbers(seed * 7919)
      const layers = (i: number) => JSON.stringify({ layers: ['aaaaaaaaaaaa:500000000', 'bbbbbbbbbbbb:300000000'].slice(0, i % 3), images: i % 3 === 2 ? { 'app:1': '0,1' } : {} })
      const cluster = clusterOf(Array.from({ length: 12 }, (_, i) => nodeOf(`n${i}`, { 'topology.kubernetes.io/zone': `z${i % 2}`, ...(i < 10 ? { 'berth.dev/rack': `r${i % 4}` } : {}) }, { ...(i % 5 === 4 ? {} : { 'berth.dev/link-speed': '1G' }), 'berth.dev/image-layers': layers(i) },
        i % 3 === 2 ? { images: [{ names: ['app:1'], sizeBytes: 800_000_000 }] } : {})))
      for (let i = 0; i < 12; i += 2) cluster.apply({ type: 'object-set', resource: resourceKey(nodeMetrics), object: { metadata: { name: `n${i}` }, timestamp: new Date().toISOString(), window: '10s', usage: { cpu: `${pick(4000)}m`, memory: '1Gi' } } as never })
      const profile = makeProfile(config)
      const engine = new Engine(cluster, profile)
      const placed: string[] = []
      for (let i = 0; i < 60; i++) {
        const given: GivenPod = {
          name: `p${i}`, image: 'app:1', cpu: `${(1 + pick(3)) * 250}m`, memory: '256Mi',
          ...(pick(4) > 0 ? { owner: `StatefulSet/s${pick(3)}` } : {}), ...(pick(3) === 0 ? { group: `g${pick(2)}` } : {}),
          ...(pick(2) === 0 ? { annotations: { 'kubernetes.io/ingress-bandwidth': `${(1 + pick(4)) * 100}M` } } : {}),
        }
        const pod = podOf(given)
        const info = podInfoOf(pod)
        const plain = decidePlain(info, profile, cluster, () => 0)
        const fast = engine.decide(info, () => 0)
        const at = `${config.schedulerName}, seed ${seed}, pod ${i}`
        if (plain.node === undefined || fast.node === undefined) {
          expect([at, fast.node === undefined ? misfitMessage(fast.misfit) : fast.node]).toEqual([at, plain.node === undefined ? misfitMessage(plain.misfit) : plain.node])
        } else {
          const totals = new Map(plain.scores.map(({ node, total }) => [node, total]))
          expect([at, fast.feasible, totals.get(fast.node)]).toEqual([at, plain.feasible.length, plain.scores.length === 0 ? undefined : Math.max(...totals.values())])
          cluster.apply({ type: 'assume', pod: { ...pod, spec: { ...pod.spec, nodeName: fast.node } }, node: fast.node, sequence: i })
          placed.push(`default/p${i}`)
        }
        if (pick(5) === 0 && placed.length > 0) cluster.apply({ type: 'pod-gone', key: placed.splice(pick(placed.length), 1)[0] ?? '' })
      }
    }
  }
})
