import { core } from '@berth/api'
import { isAlreadyExists, keyOf, splitKey } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import type { Controller } from '../context.ts'

const accountName = 'default'

/** Makes sure that every namespace has its `default` service account. */
export const serviceAccountController: Controller = {
  name: 'serviceaccount-controller',
  async run(context) {
    const namespaces = context.informers.for(core.namespaces)
    const accounts = context.informers.for(core.serviceaccounts)
    const frame = keyedController({
      name: 'serviceaccount', workers: context.settings.concurrentServiceAccountSyncs, context, informers: [namespaces, accounts],
      async sync(key) {
        const namespace = namespaces.store.get(key)
        if (namespace === undefined || namespace.status?.phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined) return
        if (accounts.store.get(`${key}/${accountName}`) !== undefined) return
        await context.client.create(core.serviceaccounts, { metadata: { name: accountName, namespace: key } }).catch(ignore(isAlreadyExists, isNamespaceTerminating))
      },
    })
    const off = [
      namespaces.on({ added: (namespace) => frame.queue.add(namespace.metadata.name), updated: (_old, now) => frame.queue.add(now.metadata.name) }),
      accounts.on({ deleted: (account) => frame.queue.add(splitKey(keyOf(account)).namespace) }),
    ]
    await frame.run()
    for (const remove of off) remove()
  },
}
