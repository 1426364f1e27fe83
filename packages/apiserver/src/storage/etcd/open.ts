// Opens the storage on etcd.
import type { ApiServerOptions, ServerLog } from '../../interfaces.ts'
import type { ResourceDefinition } from '../../registry/definition.ts'
import type { OpenStorage } from '../open.ts'
import { etcdClient } from './client.ts'
import { kubernetesCodec } from './codec.ts'
import { startCompactor } from './compactor.ts'
import { etcdStorage } from './etcd-storage.ts'

/** Opens it; it connects when it is first used. Throws where a setting is wrong. */
export function openEtcd({ etcd }: Pick<ApiServerOptions, 'etcd'>, definitions: readonly ResourceDefinition[], log: ServerLog): OpenStorage {
  const client = etcdClient(etcd)
  let lost = false
  const storage = etcdStorage({
    client, prefix: etcd.prefix, codec: kubernetesCodec({ definitions, mediaType: etcd.mediaType }), healthcheckTimeoutMs: etcd.healthcheckTimeoutMs,
    onState(reason) {
      if (lost && reason === undefined) log.info('Following etcd again')
      else if (!lost && reason !== undefined) log.error(new Error(reason), 'The watch of etcd was lost; what is read from the cache gets old until it is back')
      lost = reason !== undefined
    },
  })
  const stopCompactor = startCompactor(client, etcd.compactionIntervalMs, (error) => log.error(error, 'Compacting etcd failed'))
  return {
    storage, clusterId: 'etcd-0',
    checks: [
      { name: 'etcd', for: ['healthz', 'livez', 'readyz'], check: () => storage.check(etcd.healthcheckTimeoutMs) },
      { name: 'etcd-readiness', for: ['readyz'], check: () => storage.check(etcd.readycheckTimeoutMs) },
    ],
    loaded: () => Promise.resolve(),
    async close() {
      stopCompactor()
      await storage.close()
    },
  }
}
