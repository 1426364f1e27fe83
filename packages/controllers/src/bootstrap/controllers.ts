import { core } from '@berth/api'
import { bootstrapTokenExpiry, bootstrapTokenNamespace, bootstrapTokenType, isConflict, isNotFound, keyOf } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import type { Controller, ControllerContext } from '../context.ts'
import { signedData } from './signatures.ts'

const clusterInfo = { namespace: 'kube-public', name: 'cluster-info' }

const tokenSecrets = ({ informers }: ControllerContext) => informers.for(core.secrets, { namespace: bootstrapTokenNamespace, fieldSelector: `type=${bootstrapTokenType}` })

/** Signs the kubeconfig in the ConfigMap cluster-info with each bootstrap token that is for it, so that a machine that joins can tell its cluster. */
export const bootstrapSigner: Controller = {
  name: 'bootstrap-signer-controller',
  offByDefault: true,
  async run(context) {
    const { client, clock } = context
    const maps = context.informers.for(core.configmaps, { namespace: clusterInfo.namespace, fieldSelector: `metadata.name=${clusterInfo.name}` })
    const secrets = tokenSecrets(context)
    const key = keyOf({ metadata: clusterInfo })
    const frame = keyedController({
      name: 'bootstrap_signer_queue', workers: 1, context, informers: [maps, secrets],
      async sync(_key, queue) {
        const map = maps.store.get(key)
        if (map === undefined) return
        const data = signedData(map.data ?? {}, secrets.store.list(), clock.now())
        if (data !== undefined) await client.update(core.configmaps, { ...map, data }).catch(ignore(isNotFound))
        // Signatures of tokens end with them, whether or not somebody deletes them.
        const ends = secrets.store.list().map(bootstrapTokenExpiry).filter((time) => time !== undefined && time > clock.now())
        if (ends.length > 0) queue.addAfter(key, Math.min(...ends.map(Number)) - clock.now())
      },
    })
    const again = (): void => frame.queue.add(key)
    const off = [maps.on({ added: again, updated: again }), secrets.on({ added: again, updated: again, deleted: again })]
    await frame.run()
    for (const remove of off) remove()
  },
}

/** Deletes bootstrap tokens when their time is over. */
export const tokenCleaner: Controller = {
  name: 'token-cleaner-controller',
  offByDefault: true,
  async run(context) {
    const { client, clock } = context
    const secrets = tokenSecrets(context)
    const frame = keyedController({
      name: 'token_cleaner', workers: 1, context, informers: [secrets],
      async sync(key, queue) {
        const secret = secrets.store.get(key)
        const end = secret && bootstrapTokenExpiry(secret)
        if (secret === undefined || end === undefined) return
        if (end > clock.now()) return queue.addAfter(key, end - clock.now())
        const { name, namespace, uid } = secret.metadata
        await client.delete(core.secrets, name, { namespace, preconditions: { uid } }).catch(ignore(isNotFound, isConflict))
      },
    })
    const look = (secret: { metadata: { name: string; namespace?: string } }): void => frame.queue.add(keyOf(secret))
    const off = secrets.on({ added: look, updated: (_old, secret) => look(secret) })
    await frame.run()
    off()
  },
}
