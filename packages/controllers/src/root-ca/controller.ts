import { core } from '@berth/api'
import { isAlreadyExists, isNotFound } from '@berth/kube'
import { ignore } from '../common/adoption.ts'
import { keyedController } from '../common/keyed-controller.ts'
import { isNamespaceTerminating } from '../common/namespace-errors.ts'
import type { Controller } from '../context.ts'

const configMapName = 'kube-root-ca.crt'
/** Upstream's annotation, word for word. */
const description = {
  'kubernetes.io/description': 'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
}

/** Publishes the API server's authority in every namespace, for the volume that each pod's service account token comes in. */
export const rootCaController: Controller = {
  name: 'root-ca-certificate-publisher-controller',
  async run(context) {
    const { client, settings: { rootCa, concurrentServiceAccountSyncs } } = context
    if (rootCa === '') return context.logger.info('No root CA is given, it is not published', { controller: this.name })
    const namespaces = context.informers.for(core.namespaces)
    const maps = context.informers.for(core.configmaps, { fieldSelector: `metadata.name=${configMapName}` })
    const data = { 'ca.crt': rootCa }
    const frame = keyedController({
      name: 'root_ca_cert_publisher', workers: concurrentServiceAccountSyncs, context, informers: [namespaces, maps],
      async sync(key) {
        const namespace = namespaces.store.get(key)
        if (namespace === undefined || namespace.status?.phase === 'Terminating' || namespace.metadata.deletionTimestamp !== undefined) return
        const known = maps.store.get(`${key}/${configMapName}`)
        if (known === undefined) {
          await client.create(core.configmaps, { metadata: { name: configMapName, namespace: key, annotations: description }, data }).catch(ignore(isAlreadyExists, isNamespaceTerminating))
          return
        }
        const described = Object.entries(description).every(([name, text]) => known.metadata.annotations?.[name] === text)
        const right = Object.keys(known.data ?? {}).length === 1 && known.data?.['ca.crt'] === rootCa
        if (described && right) return
        await client.update(core.configmaps, { ...known, metadata: { ...known.metadata, annotations: { ...known.metadata.annotations, ...description } }, data }).catch(ignore(isNotFound))
      },
    })
    const off = [
      namespaces.on({ added: (namespace) => frame.queue.add(namespace.metadata.name), updated: (_old, now) => frame.queue.add(now.metadata.name) }),
      maps.on({ updated: (_old, now) => frame.queue.add(now.metadata.namespace ?? ''), deleted: (map) => frame.queue.add(map.metadata.namespace ?? '') }),
    ]
    await frame.run()
    for (const remove of off) remove()
  },
}
