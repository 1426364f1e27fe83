// kube-apiserver's flags, where this server has what they set, and the settings they make.
import { isIP } from 'node:net'
import { CommandError, parseFlags, type FlagValues } from '@berth/kube'
import { checkAdmissionPlugins } from './admission/index.ts'
import { checkAuthorizationModes } from './authorization/index.ts'
import { apiServerOptions } from './config.ts'
import { enabledDefinitions, featureGates, knownFeatures, parseBooleanMap } from './features.ts'
import type { ApiServerOptions } from './interfaces.ts'
import { storedResources } from './resources/index.ts'
import { storageFlags, storageOptionsOf } from './storage/flags.ts'

export const flags = {
  'data-dir': { type: 'string', default: '/var/lib/berth/apiserver', description: 'Directory of the database (state.db), where the storage is no etcd, and of what else is made and kept.', group: 'Storage' },
  ...storageFlags,
  'event-ttl': { type: 'duration', default: '1h0m0s', description: 'Amount of time to retain events.', group: 'Storage' },
  'bind-address': { type: 'string', default: '0.0.0.0', description: 'The IP address on which to listen for the --secure-port port.', group: 'Secure serving' },
  'secure-port': { type: 'number', default: 6443, description: 'The port on which to serve HTTPS with authentication and authorization; 0 picks a free one.', group: 'Secure serving' },
  'cert-dir': { type: 'string', description: 'The directory where the TLS certs are located (default: pki in --data-dir). What lacks is made.', group: 'Secure serving' },
  'tls-cert-file': { type: 'string', description: 'File containing the x509 certificate for HTTPS.', group: 'Secure serving' },
  'tls-private-key-file': { type: 'string', description: 'File containing the private key matching --tls-cert-file.', group: 'Secure serving' },
  'tls-san': { type: 'string[]', description: 'Further DNS names and IP addresses for the generated serving certificate.', group: 'Secure serving' },
  'advertise-address': { type: 'string', description: 'The IP address on which to advertise the apiserver to members of the cluster.', group: 'Generic' },
  'request-timeout': { type: 'duration', default: '1m0s', description: 'How long a handler may keep a request open before timing it out; watches and the like excepted.', group: 'Generic' },
  'min-request-timeout': { type: 'number', default: 1800, description: 'The minimum number of seconds a watch is kept open before timing it out.', group: 'Generic' },
  'max-requests-inflight': { type: 'number', default: 400, description: 'The maximum number of non-mutating requests in flight at a given time; beyond it requests are rejected with 429. 0 is no limit.', group: 'Generic' },
  'max-mutating-requests-inflight': { type: 'number', default: 200, description: 'The maximum number of mutating requests in flight at a given time; beyond it requests are rejected with 429. 0 is no limit.', group: 'Generic' },
  'allow-privileged': { type: 'boolean', default: false, description: 'If true, allow privileged containers.', group: 'Generic' },
  'anonymous-auth': { type: 'boolean', default: true, description: 'Enables anonymous requests to the secure port.', group: 'Authentication' },
  'client-ca-file': { type: 'string', description: 'Any request presenting a client certificate signed by one of the authorities in this file is authenticated with the CommonName of the certificate.', group: 'Authentication' },
  'token-auth-file': { type: 'string', description: 'File with users for token authentication: token,user,uid,"groups".', group: 'Authentication' },
  'enable-bootstrap-token-auth': { type: 'boolean', default: false, description: 'Enable to allow secrets of type \'bootstrap.kubernetes.io/token\' in the \'kube-system\' namespace to be used for TLS bootstrapping authentication.', group: 'Authentication' },
  'api-audiences': { type: 'string[]', description: 'Identifiers of the API; the issuer when not given.', group: 'Authentication' },
  'service-account-issuer': { type: 'string', default: 'https://kubernetes.default.svc.cluster.local', description: 'Identifier of the service account token issuer.', group: 'Authentication' },
  'service-account-key-file': { type: 'string[]', description: 'File with PEM-encoded keys used to verify service account tokens.', group: 'Authentication' },
  'service-account-signing-key-file': { type: 'string', description: 'Path to the file that contains the private key of the service account token issuer.', group: 'Authentication' },
  'service-account-max-token-expiration': { type: 'duration', default: '0s', description: 'The maximum validity duration of a token; 0 leaves it to the request.', group: 'Authentication' },
  'requestheader-client-ca-file': { type: 'string', description: 'Authorities of proxies that may name the user in request headers (default: front-proxy-ca.crt in --cert-dir).', group: 'Authentication' },
  'requestheader-allowed-names': {
    type: 'string[]', description: 'Common names of such proxies\' client certificates (default: front-proxy-client without --requestheader-client-ca-file, else any).', group: 'Authentication',
  },
  'requestheader-username-headers': { type: 'string[]', description: 'Request headers to look for user names in (default X-Remote-User).', group: 'Authentication' },
  'requestheader-uid-headers': { type: 'string[]', description: 'Request headers to look for UIDs in (default X-Remote-Uid).', group: 'Authentication' },
  'requestheader-group-headers': { type: 'string[]', description: 'Request headers to look for groups in (default X-Remote-Group).', group: 'Authentication' },
  'requestheader-extra-headers-prefix': { type: 'string[]', description: 'Prefixes of request headers to look for further attributes in (default X-Remote-Extra-).', group: 'Authentication' },
  'proxy-client-cert-file': { type: 'string', description: 'Client certificate shown to aggregated API servers (default: front-proxy-client.crt in --cert-dir).', group: 'Aggregation' },
  'proxy-client-key-file': { type: 'string', description: 'Private key of --proxy-client-cert-file.', group: 'Aggregation' },
  'enable-aggregator-routing': {
    type: 'boolean', default: true, description: 'Route requests for aggregated API servers to endpoint IPs rather than the cluster IP. On by default: this server often stands where no cluster IP leads.', group: 'Aggregation',
  },
  'aggregator-reject-forwarding-redirect': { type: 'boolean', default: true, description: 'Do not pass redirects of aggregated API servers on to clients.', group: 'Aggregation' },
  'authorization-mode': { type: 'string[]', description: 'Ordered list of plug-ins to do authorization on secure port: AlwaysAllow, AlwaysDeny, Node, RBAC (default Node,RBAC).', group: 'Authorization' },
  'feature-gates': { type: 'string[]', description: `A set of key=value pairs that describe feature gates for alpha/experimental features. Options are: ${knownFeatures.join(', ')}.`, group: 'Generic' },
  'runtime-config': {
    type: 'string[]', description: 'A set of key=value pairs that enable or disable built-in APIs: group/version=true|false, group/version/resource=true|false, api/all|ga|beta|alpha=true|false.', group: 'API enablement',
  },
  'enable-admission-plugins': { type: 'string[]', description: 'Admission plugins that should be enabled in addition to default enabled ones.', group: 'Admission' },
  'disable-admission-plugins': { type: 'string[]', description: 'Admission plugins that should be disabled although they are in the default enabled plugins list.', group: 'Admission' },
  'service-cluster-ip-range': { type: 'string', default: '10.96.0.0/16', description: 'A CIDR notation IP range from which to assign service cluster IPs.', group: 'API enablement' },
  'service-node-port-range': { type: 'string', default: '30000-32767', description: 'A port range to reserve for services with NodePort visibility.', group: 'API enablement' },
  'kubelet-client-certificate': { type: 'string', description: 'Path to a client cert file for TLS to kubelets.', group: 'Kubelet' },
  'kubelet-client-key': { type: 'string', description: 'Path to a client key file for TLS to kubelets.', group: 'Kubelet' },
  'kubelet-certificate-authority': { type: 'string', description: 'Path to a cert file for the authority of kubelets\' serving certificates.', group: 'Kubelet' },
  'kubelet-preferred-address-types': {
    type: 'string[]', description: 'List of the preferred NodeAddressTypes to use for kubelet connections (default Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP).', group: 'Kubelet',
  },
} as const

/** Splits `a,b` and drops what is empty. */
function words(values: readonly string[]): string[] {
  return values.flatMap((v) => v.split(',')).map((v) => v.trim()).filter((v) => v !== '')
}

function portRange(text: string): { from: number, to: number } {
  const match = /^(\d+)-(\d+)$/.exec(text)
  const from = Number(match?.[1])
  const to = Number(match?.[2])
  if (!match || from > to || from < 1 || to > 65535) throw new CommandError(`invalid argument ${JSON.stringify(text)} for "--service-node-port-range" flag: ${JSON.stringify(text)} is not a valid port range: FROM-TO`)
  return { from, to }
}

function oneOfPair(a: string | undefined, b: string | undefined, first: string, second: string): void {
  if ((a === undefined) !== (b === undefined)) throw new CommandError(`--${first} and --${second} must be given together`)
}

function check(options: ApiServerOptions): void {
  try {
    checkAuthorizationModes(options.authorizationModes)
    checkAdmissionPlugins(options)
    featureGates(options.featureGates)
    enabledDefinitions(storedResources, options.runtimeConfig)
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), 1, { cause: error })
  }
  if (!Number.isInteger(options.securePort) || options.securePort < 0 || options.securePort > 65535) throw new CommandError(`--secure-port ${options.securePort} must be between 0 and 65535, inclusive`)
  if (isIP(options.bindAddress) === 0) throw new CommandError(`invalid argument ${JSON.stringify(options.bindAddress)} for "--bind-address" flag: failed to parse IP: ${JSON.stringify(options.bindAddress)}`)
  oneOfPair(options.tlsCertFile, options.tlsPrivateKeyFile, 'tls-cert-file', 'tls-private-key-file')
  oneOfPair(options.proxyClientCertFile, options.proxyClientKeyFile, 'proxy-client-cert-file', 'proxy-client-key-file')
  oneOfPair(options.kubeletClientCertificate, options.kubeletClientKey, 'kubelet-client-certificate', 'kubelet-client-key')
}

function optional<K extends keyof ApiServerOptions>(name: K, value: string | undefined): Partial<ApiServerOptions> {
  return value === undefined || value === '' ? {} : { [name]: value } as Partial<ApiServerOptions>
}

/** A list where something is in it: an empty one leaves the default. */
function someOf<K extends keyof ApiServerOptions>(name: K, values: readonly string[]): Partial<ApiServerOptions> {
  const list = words(values)
  return list.length > 0 ? { [name]: list } as Partial<ApiServerOptions> : {}
}

/** The settings that flags make, with upstream's defaults. Throws CommandError, worded as upstream, where a value is wrong. */
export function optionsOfFlags(given: FlagValues<typeof flags>): ApiServerOptions {
  const modes = words(given['authorization-mode'])
  const types = words(given['kubelet-preferred-address-types'])
  const switches = (flag: 'feature-gates' | 'runtime-config'): Record<string, boolean> => {
    try {
      return parseBooleanMap(given[flag])
    } catch (error) {
      throw new CommandError(`invalid argument ${JSON.stringify(given[flag].join(','))} for "--${flag}" flag: ${error instanceof Error ? error.message : String(error)}`, 1, { cause: error })
    }
  }
  const options = apiServerOptions({
    dataDir: given['data-dir'], ...storageOptionsOf(given), bindAddress: given['bind-address'], securePort: given['secure-port'], certSans: words(given['tls-san']), anonymousAuth: given['anonymous-auth'], enableBootstrapTokenAuth: given['enable-bootstrap-token-auth'], allowPrivileged: given['allow-privileged'],
    serviceAccountIssuer: given['service-account-issuer'], serviceAccountKeyFiles: words(given['service-account-key-file']),
    serviceAccountMaxTokenExpirationSeconds: Math.floor(given['service-account-max-token-expiration'] / 1000), apiAudiences: words(given['api-audiences']),
    ...(modes.length > 0 && { authorizationModes: modes }), ...(types.length > 0 && { kubeletPreferredAddressTypes: types }),
    enableAggregatorRouting: given['enable-aggregator-routing'], aggregatorRejectForwardingRedirect: given['aggregator-reject-forwarding-redirect'],
    ...someOf('requestHeaderAllowedNames', given['requestheader-allowed-names']), ...someOf('requestHeaderUsernameHeaders', given['requestheader-username-headers']),
    ...someOf('requestHeaderUidHeaders', given['requestheader-uid-headers']), ...someOf('requestHeaderGroupHeaders', given['requestheader-group-headers']),
    ...someOf('requestHeaderExtraHeadersPrefix', given['requestheader-extra-headers-prefix']), ...optional('requestHeaderClientCaFile', given['requestheader-client-ca-file']),
    ...optional('proxyClientCertFile', given['proxy-client-cert-file']), ...optional('proxyClientKeyFile', given['proxy-client-key-file']),
    featureGates: switches('feature-gates'), runtimeConfig: switches('runtime-config'),
    enableAdmissionPlugins: words(given['enable-admission-plugins']), disableAdmissionPlugins: words(given['disable-admission-plugins']),
    serviceClusterIpRange: given['service-cluster-ip-range'], serviceNodePortRange: portRange(given['service-node-port-range']),
    eventTtlSeconds: Math.floor(given['event-ttl'] / 1000), requestTimeoutSeconds: Math.max(1, given['request-timeout'] / 1000), minRequestTimeoutSeconds: given['min-request-timeout'],
    maxRequestsInflight: given['max-requests-inflight'], maxMutatingRequestsInflight: given['max-mutating-requests-inflight'],
    ...optional('certDir', given['cert-dir']), ...optional('advertiseAddress', given['advertise-address']), ...optional('tlsCertFile', given['tls-cert-file']), ...optional('tlsPrivateKeyFile', given['tls-private-key-file']),
    ...optional('clientCaFile', given['client-ca-file']), ...optional('tokenAuthFile', given['token-auth-file']),
    ...optional('serviceAccountSigningKeyFile', given['service-account-signing-key-file']), ...optional('kubeletClientCertificate', given['kubelet-client-certificate']),
    ...optional('kubeletClientKey', given['kubelet-client-key']), ...optional('kubeletCertificateAuthority', given['kubelet-certificate-authority']),
  })
  check(options)
  return options
}

/** The settings that a command line makes (`--feature-gates=…`). Throws FlagError or CommandError where it has anything but these flags. */
export function parseApiServerFlags(argv: readonly string[]): ApiServerOptions {
  const { values, positionals } = parseFlags(flags, argv)
  if (positionals.length > 0) throw new CommandError(`flags are expected, got ${positionals.map((p) => JSON.stringify(p)).join(' ')}`)
  return optionsOfFlags(values as unknown as FlagValues<typeof flags>)
}
