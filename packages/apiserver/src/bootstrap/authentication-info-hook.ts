import { isDeepStrictEqual } from 'node:util'
import { core } from '@berth/api'
import type { BootstrapHook, ServerDependencies } from '../interfaces.ts'
import { repeat } from './repeat.ts'

const namespace = 'kube-system'
const name = 'extension-apiserver-authentication'

/** Publishes the client CA, so that the servers of other parts can check the same client certificates. */
export function authenticationInfoHook(dependencies: ServerDependencies): BootstrapHook {
  const { store, log } = dependencies
  return {
    name: 'start-cluster-authentication-info-controller',
    run: (signal) => repeat(async () => {
      const ca = dependencies.certificates.clientCa
      if (ca === undefined) return
      const live = store.get(core.configmaps, name, namespace)
      const data = { ...live?.data, 'client-ca-file': ca }
      if (!live) await store.create(core.configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data })
      else if (!isDeepStrictEqual(live.data, data)) await store.update(core.configmaps, { ...live, data })
    }, 60_000, signal, log, `publish ${namespace}/${name}`),
  }
}
