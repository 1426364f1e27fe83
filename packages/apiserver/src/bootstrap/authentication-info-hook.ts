import { isDeepStrictEqual } from 'node:util'
import { core } from '@berth/api'
import { splitPem } from '../authentication/client-certificates.ts'
import type { ApiServerOptions, BootstrapHook, ServerCertificates, ServerDependencies } from '../interfaces.ts'
import { repeat } from './repeat.ts'

const namespace = 'kube-system'
const name = 'extension-apiserver-authentication'

/** Publishes the client CA and what a front proxy shows, so that the servers of other parts can check the same client certificates and believe this one. */
export function authenticationInfoHook(dependencies: ServerDependencies): BootstrapHook {
  const { store, log } = dependencies
  return {
    name: 'start-cluster-authentication-info-controller',
    run: (signal) => repeat(async () => {
      const live = store.get(core.configmaps, name, namespace)
      const data = authenticationInfo(dependencies.certificates, dependencies.options, live?.data ?? {})
      if (!live) await store.create(core.configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data })
      else if (!isDeepStrictEqual(live.data, data)) await store.update(core.configmaps, { ...live, data })
    }, 60_000, signal, log, `publish ${namespace}/${name}`),
  }
}

/** What is published, together with what other servers of the cluster published before. */
export function authenticationInfo(certificates: Pick<ServerCertificates, 'clientCa' | 'requestHeaderCa'>, options: ApiServerOptions, known: Readonly<Record<string, string>>): Record<string, string> {
  const { clientCa, requestHeaderCa } = certificates
  const list = (key: string, values: readonly string[]): Record<string, string> => (values.length === 0 ? {} : { [key]: JSON.stringify([...new Set([...listOf(known[key]), ...values])]) })
  const bundle = (key: string, pem: string): Record<string, string> => ({ [key]: joinBundles(known[key] ?? '', pem) })
  return {
    ...known,
    ...(clientCa !== undefined && bundle('client-ca-file', clientCa)),
    ...(requestHeaderCa !== undefined && {
      ...bundle('requestheader-client-ca-file', requestHeaderCa),
      // No names at all lets any certificate of the authority in.
      'requestheader-allowed-names': JSON.stringify([...new Set([...listOf(known['requestheader-allowed-names']), ...options.requestHeaderAllowedNames])]),
      ...list('requestheader-username-headers', options.requestHeaderUsernameHeaders), ...list('requestheader-uid-headers', options.requestHeaderUidHeaders),
      ...list('requestheader-group-headers', options.requestHeaderGroupHeaders), ...list('requestheader-extra-headers-prefix', options.requestHeaderExtraHeadersPrefix),
    }),
  }
}

function listOf(text: string | undefined): string[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(value) ? value.map(String) : []
  } catch {
    // Not what any server writes: replaced.
    return []
  }
}

/** The certificates of both bundles, each once. */
function joinBundles(known: string, added: string): string {
  const missing = splitPem(added).filter((pem) => !splitPem(known).includes(pem))
  return missing.length === 0 ? known : `${known}${known === '' || known.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`
}
