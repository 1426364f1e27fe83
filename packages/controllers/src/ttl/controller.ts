import { core } from '@berth/api'
import { isNotFound } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller } from '../context.ts'
import { nextStep, secondsOf } from './boundaries.ts'

const annotation = 'node.alpha.kubernetes.io/ttl'

/** Says on each node for how long its kubelet may keep Secrets and ConfigMaps. */
export const ttlController: Controller = {
  name: 'ttl-controller',
  async run(context) {
    const nodes = context.informers.for(core.nodes)
    let step = 0
    const frame = keyedController({
      name: 'ttlcontroller', workers: 5, context, informers: [nodes],
      async sync(key) {
        const node = nodes.store.get(key)
        const wanted = String(secondsOf(step))
        if (node === undefined || node.metadata.annotations?.[annotation] === wanted) return
        await context.client.patch(core.nodes, key, { type: 'strategic', body: { metadata: { annotations: { [annotation]: wanted } } } }).catch(ignore(isNotFound))
      },
    })
    const count = (): void => {
      const before = step
      step = nextStep(step, nodes.store.keys().length)
      if (step !== before) for (const key of nodes.store.keys()) frame.queue.add(key)
    }
    const off = nodes.on({
      added({ metadata: { name } }) {
        count()
        frame.queue.add(name)
      },
      updated: (_old, { metadata: { name } }) => frame.queue.add(name),
      deleted: count,
    })
    await frame.run()
    off()
  },
}
