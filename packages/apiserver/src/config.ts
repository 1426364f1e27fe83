// The server's settings with upstream's defaults.
import { join } from 'node:path'
import type { ApiServerOptions, EtcdOptions } from './interfaces.ts'

/** The common name under which this server calls aggregated servers: kubeadm's. */
export const frontProxyName = 'front-proxy-client'

/** As a directory: none, as SQLite takes the word. Nothing is read or written there. */
export const inMemory = ':memory:'

/** What must be given of the settings, and what may be. */
export type GivenOptions = Omit<Partial<ApiServerOptions>, 'etcd'> & { dataDir: string, etcd?: Partial<EtcdOptions> }

/** Fills in what is not given. `dataDir` is the one setting without a default. */
export function apiServerOptions(given: GivenOptions): ApiServerOptions {
  const issuer = given.serviceAccountIssuer ?? 'https://kubernetes.default.svc.cluster.local'
  return {
    storage: 'sqlite', bindAddress: '0.0.0.0', securePort: 6443, certSans: [], anonymousAuth: true, enableBootstrapTokenAuth: false, allowPrivileged: false,
    authorizationModes: ['Node', 'RBAC'], serviceClusterIpRange: '10.96.0.0/16', serviceNodePortRange: { from: 30000, to: 32767 },
    serviceAccountKeyFiles: [], serviceAccountMaxTokenExpirationSeconds: 0, featureGates: {}, runtimeConfig: {}, enableAdmissionPlugins: [], disableAdmissionPlugins: [],
    kubeletPreferredAddressTypes: ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'], eventTtlSeconds: 3600, maxRequestBytes: 3 * 1024 * 1024,
    requestTimeoutSeconds: 60, minRequestTimeoutSeconds: 1800, maxRequestsInflight: 400, maxMutatingRequestsInflight: 200,
    requestHeaderUsernameHeaders: ['X-Remote-User'], requestHeaderUidHeaders: ['X-Remote-Uid'], requestHeaderGroupHeaders: ['X-Remote-Group'], requestHeaderExtraHeadersPrefix: ['X-Remote-Extra-'],
    // Our own authority signs the one proxy's certificate; of another authority any is taken that it signed.
    requestHeaderAllowedNames: given.requestHeaderClientCaFile === undefined ? [frontProxyName] : [],
    enableAggregatorRouting: true, aggregatorRejectForwardingRedirect: true,
    ...given,
    etcd: {
      servers: [], prefix: '/registry', compactionIntervalMs: 5 * 60_000, healthcheckTimeoutMs: 2_000, readycheckTimeoutMs: 2_000, mediaType: 'application/vnd.kubernetes.protobuf',
      ...given.etcd,
    },
    certDir: given.certDir ?? (given.dataDir === inMemory ? inMemory : join(given.dataDir, 'pki')), serviceAccountIssuer: issuer, apiAudiences: given.apiAudiences && given.apiAudiences.length > 0 ? given.apiAudiences : [issuer],
  }
}
