import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { core } from '@berth/api'
import { createClient, delegatedAuthentication, delegatedAuthorization, selfSignedServing, startComponentServer, transportFromKubeconfig, type ComponentServer, type Endpoint, type KubeClient, type Logger } from '@berth/kube'
import type { Registry } from 'prom-client'
import { ConfigError } from './errors.ts'

/** Upstream's flags of secure serving, and of who may ask. */
export interface ServingFlags {
  readonly 'bind-address': string
  readonly 'secure-port': number
  readonly 'tls-cert-file': string | undefined
  readonly 'tls-private-key-file': string | undefined
  readonly 'client-ca-file': string | undefined
  readonly 'authentication-kubeconfig': string | undefined
  readonly 'authentication-skip-lookup': boolean
  readonly 'authentication-token-webhook-cache-ttl': number
  readonly 'authentication-tolerate-lookup-failure': boolean
  readonly 'authorization-kubeconfig': string | undefined
  readonly 'authorization-always-allow-paths': readonly string[]
  readonly 'authorization-webhook-cache-authorized-ttl': number
  readonly 'authorization-webhook-cache-unauthorized-ttl': number
}

export interface ServingOptions {
  readonly flags: ServingFlags
  readonly client: KubeClient
  readonly logger: Logger
  readonly metrics: Registry
  readonly config: () => Record<string, unknown>
  readonly checks: Readonly<Record<string, () => void>>
  readonly readyChecks: Readonly<Record<string, () => void>>
  readonly endpoints: Readonly<Record<string, Endpoint>>
}

async function readPem(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`--${flag}: unable to read ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Who signs the certificates of those who ask: the flag's file, else what the API server publishes for its extensions. */
async function clientCa({ flags, client, logger }: ServingOptions): Promise<string | undefined> {
  const file = flags['client-ca-file']
  if (file !== undefined) return readPem('client-ca-file', file)
  if (flags['authentication-skip-lookup']) return undefined
  try {
    const { data } = await client.get(core.configmaps, 'extension-apiserver-authentication', { namespace: 'kube-system' })
    return data?.['client-ca-file']
  } catch (error) {
    if (!flags['authentication-tolerate-lookup-failure']) throw new ConfigError('unable to get configmap/extension-apiserver-authentication in kube-system. Usually fixed by a RoleBinding to the role extension-apiserver-authentication-reader', { cause: error })
    logger.info('Nobody is known by a client certificate: the API server does not say who signs them', { err: error })
    return undefined
  }
}

/** A server, and by what its certificate is known. */
export interface Serving extends ComponentServer {
  /** The authority of the serving certificate; PEM. */
  readonly ca: string
  /** A name in it. */
  readonly serverName: string
}

/** The certificate at the end of a chain: who has signed the others, or the only one itself. */
function lastOf(chain: string): string {
  return chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.at(-1) ?? chain
}

/** Serves metrics, health, configz and `endpoints`, to those whom the API server lets. Undefined for port 0. */
export async function serve(options: ServingOptions): Promise<Serving | undefined> {
  const { flags, client, logger } = options
  if (flags['secure-port'] === 0) return undefined
  const cert = flags['tls-cert-file']
  const key = flags['tls-private-key-file']
  if ((cert === undefined) !== (key === undefined)) throw new ConfigError('--tls-cert-file and --tls-private-key-file go together')
  const given = cert !== undefined && key !== undefined ? { cert: await readPem('tls-cert-file', cert), key: await readPem('tls-private-key-file', key) } : undefined
  const own = given ?? await selfSignedServing('kube-scheduler')
  const authority = 'ca' in own && typeof own.ca === 'string' ? own.ca : lastOf(own.cert)
  const ca = await clientCa(options)
  const delegate = (file: string | undefined): KubeClient => (file === undefined ? client : createClient(transportFromKubeconfig(file), { userAgent: 'berth-scheduler' }))
  const server = await startComponentServer({
    name: 'scheduler', address: flags['bind-address'], port: flags['secure-port'], logger,
    tls: { cert: own.cert, key: own.key, ...(ca === undefined ? {} : { clientCa: ca }) },
    authenticate: delegatedAuthentication({ client: delegate(flags['authentication-kubeconfig']), cacheTtlMs: flags['authentication-token-webhook-cache-ttl'] }),
    authorize: delegatedAuthorization({
      client: delegate(flags['authorization-kubeconfig']),
      allowedTtlMs: flags['authorization-webhook-cache-authorized-ttl'], deniedTtlMs: flags['authorization-webhook-cache-unauthorized-ttl'],
    }),
    alwaysAllowPaths: flags['authorization-always-allow-paths'],
    metrics: options.metrics, config: options.config, checks: { ...options.checks }, readyChecks: { ...options.readyChecks }, endpoints: options.endpoints,
  })
  const serverName = new X509Certificate(own.cert).subjectAltName?.match(/DNS:([^,\s]+)/)?.[1] ?? ''
  return { ...server, ca: authority, serverName }
}
