import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { httpsTransport } from '../transport/https-transport.ts'
import type { HttpsTransportOptions, Transport, TransportRequest, TransportResponse } from '../transport/transport.ts'
import { execPlugin } from './exec-plugin.ts'
import { KubeconfigError, kubeconfigPaths, loadKubeconfig, type KubeconfigChoice, type KubeconfigUser } from './kubeconfig.ts'
import { rotatingFile } from './rotating-file.ts'

const serviceAccountDirectory = '/var/run/secrets/kubernetes.io/serviceaccount'
const tokenMaxAgeMs = 60_000
const certificateMaxAgeMs = 10_000

/**
 * A transport to the cluster of a kubeconfig; without a path, `$KUBECONFIG`, then `~/.kube/config`, then the service account of the pod we
 * run in. Files of tokens and certificates are read again as they rotate. A path that does not exist throws at once, what is wrong inside is
 * reported by the first request ({@link KubeconfigError}). `server` stands in place of the file's, as upstream's --master.
 */
export function transportFromKubeconfig(path: string | undefined, options: { context?: string; server?: string } = {}): Transport {
  const paths = kubeconfigPaths(path)
  const [only] = paths
  if (path !== undefined && only !== undefined && !existsSync(only)) throw new KubeconfigError(`stat ${path}: no such file or directory`)
  const { server } = options
  if (paths.length === 0) return server === undefined ? inClusterTransport() : httpsTransport({ server })
  let made: Promise<Transport> | undefined
  const transport = (): Promise<Transport> => made ??= loadKubeconfig(paths, options.context).then((choice) => transportOf(server === undefined ? choice : { ...choice, cluster: { ...choice.cluster, server } }))
  return {
    request: async (request) => (await transport()).request(request),
    close: async () => {
      if (made !== undefined) await (await made.catch(() => undefined))?.close()
    },
  }
}

/** The `host:port` that {@link transportFromKubeconfig} of the same path speaks to, for metrics and messages. Throws {@link KubeconfigError}. */
export async function kubeconfigHost(path: string | undefined): Promise<string> {
  const paths = kubeconfigPaths(path)
  if (paths.length === 0) return `${process.env['KUBERNETES_SERVICE_HOST'] ?? ''}:${process.env['KUBERNETES_SERVICE_PORT'] ?? ''}`
  const { cluster } = await loadKubeconfig(paths)
  return URL.canParse(cluster.server ?? '') ? new URL(cluster.server ?? '').host : cluster.server ?? ''
}

/** A transport as the service account of the pod that this process runs in. Throws {@link KubeconfigError} outside of one. */
export function inClusterTransport(env: NodeJS.ProcessEnv = process.env, directory = serviceAccountDirectory): Transport {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = env['KUBERNETES_SERVICE_PORT'] ?? ''
  if (host === '' || port === '') throw new KubeconfigError('no kubeconfig, and not in a pod: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined')
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  return httpsTransport({ server, ca: readFileSync(join(directory, 'ca.crt'), 'utf8'), token: rotatingFile(join(directory, 'token'), tokenMaxAgeMs) })
}

/** A transport to a chosen cluster as the chosen user. Throws {@link KubeconfigError}. */
export async function transportOf({ cluster, user, context }: KubeconfigChoice): Promise<Transport> {
  if (cluster['proxy-url'] !== undefined) throw new KubeconfigError(`context ${context}: proxy-url is not supported`)
  if (user['auth-provider'] !== undefined) throw new KubeconfigError(`context ${context}: auth-provider is not supported (upstream removed it), use exec`)
  const options: HttpsTransportOptions = { server: cluster.server ?? '', insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true, tlsServerName: cluster['tls-server-name'], headers: headersOf(user) }
  options.ca = cluster['certificate-authority-data'] === undefined ? await optionalFile(cluster['certificate-authority']) : decode(cluster['certificate-authority-data'])
  if (user.tokenFile !== undefined) options.token = rotatingFile(user.tokenFile, tokenMaxAgeMs)
  else if (user.token !== undefined) options.token = user.token
  options.clientCertificate = certificateSource(user)
  if (user.exec === undefined) return httpsTransport(options)

  const plugin = execPlugin(user.exec, cluster)
  const inner = httpsTransport({
    ...options,
    token: async () => (await plugin.credential()).token ?? '',
    clientCertificate: async () => {
      const { cert, key } = await plugin.credential()
      return cert === undefined || key === undefined ? undefined : { cert, key }
    },
  })
  return { request: (request) => refreshing(inner, plugin.forget, request), close: () => inner.close() }
}

/** A 401 means that the plugin's credential has been revoked: it is asked for another, and the request is made once more. */
async function refreshing(transport: Transport, forget: () => void, request: TransportRequest): Promise<TransportResponse> {
  const response = await transport.request(request)
  if (response.status !== 401) return response
  await response.body[Symbol.asyncIterator]().return?.()
  forget()
  return transport.request(request)
}

function certificateSource(user: KubeconfigUser): HttpsTransportOptions['clientCertificate'] {
  const cert = dataOrFile(user['client-certificate-data'], user['client-certificate'])
  const key = dataOrFile(user['client-key-data'], user['client-key'])
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new KubeconfigError('a client certificate needs its key, and a key its certificate')
  return async () => ({ cert: await cert(), key: await key() })
}

function dataOrFile(data: string | undefined, file: string | undefined): (() => Promise<string>) | undefined {
  if (data !== undefined) {
    const text = decode(data)
    return async () => text
  }
  return file === undefined ? undefined : rotatingFile(file, certificateMaxAgeMs)
}

async function optionalFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new KubeconfigError(`certificate-authority: unable to read ${path}: ${(error as Error).message}`, { cause: error })
  }
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}

function headersOf(user: KubeconfigUser): Record<string, string> {
  const headers: Record<string, string> = {}
  if (user.username !== undefined) headers['authorization'] = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
  if (user.as !== undefined) headers['impersonate-user'] = user.as
  if (user['as-uid'] !== undefined) headers['impersonate-uid'] = user['as-uid']
  if (user['as-groups'] !== undefined) headers['impersonate-group'] = user['as-groups'].join(',')
  return headers
}
