// kube-apiserver's flags (1.36) that `berth apiserver` does not have: which may be given all the same, and which may not.

/** Accepted, with a line that says so: nothing that a test can see comes of them. The value tells a switch from a flag with a value. */
const withoutEffect: Readonly<Record<string, 'boolean' | 'string'>> = {
  'allow-metric-labels': 'string', 'allow-metric-labels-manifest': 'string', 'apiserver-count': 'string',
  'audit-log-compress': 'boolean', 'audit-log-format': 'string', 'audit-log-maxage': 'string', 'audit-log-maxbackup': 'string', 'audit-log-maxsize': 'string', 'audit-log-version': 'string',
  'audit-webhook-batch-initial-backoff': 'string', 'audit-webhook-initial-backoff': 'string', 'audit-webhook-mode': 'string', 'audit-webhook-version': 'string',
  'authentication-token-webhook-cache-ttl': 'string', 'authentication-token-webhook-version': 'string', 'authorization-webhook-cache-authorized-ttl': 'string',
  'authorization-webhook-cache-unauthorized-ttl': 'string', 'authorization-webhook-version': 'string',
  'contention-profiling': 'boolean', 'coordinated-leadership-lease-duration': 'string', 'coordinated-leadership-renew-deadline': 'string', 'coordinated-leadership-retry-period': 'string',
  'debug-socket-path': 'string', 'default-watch-cache-size': 'string', 'delete-collection-workers': 'string', 'disabled-metrics': 'string', 'enable-garbage-collector': 'boolean',
  'enable-logs-handler': 'boolean', 'enable-priority-and-fairness': 'boolean', 'emulation-forward-compatible': 'boolean', 'encryption-provider-config-automatic-reload': 'boolean', 'endpoint-reconciler-type': 'string', 'etcd-count-metric-poll-period': 'string',
  'etcd-db-metric-poll-interval': 'string', 'external-hostname': 'string', 'goaway-chance': 'string', 'http2-max-streams-per-connection': 'string',
  'kubelet-port': 'string', 'kubelet-read-only-port': 'string', 'kubelet-timeout': 'string', 'lease-reuse-duration-seconds': 'string', 'livez-grace-period': 'string',
  'log-flush-frequency': 'string', 'log-json-info-buffer-size': 'string', 'log-json-split-stream': 'boolean', 'log-text-info-buffer-size': 'string', 'log-text-split-stream': 'boolean',
  'max-connection-bytes-per-sec': 'string', 'permit-address-sharing': 'boolean', 'peer-advertise-ip': 'string', 'peer-advertise-port': 'string', 'permit-port-sharing': 'boolean', 'runtime-config-emulation-forward-compatible': 'boolean', profiling: 'boolean',
  'service-account-extend-token-expiration': 'boolean', 'show-hidden-metrics-for-version': 'string', 'shutdown-delay-duration': 'string', 'shutdown-send-retry-after': 'boolean',
  'shutdown-watch-termination-grace-period': 'string', 'storage-initialization-timeout': 'string', 'tls-cipher-suites': 'string', 'tls-curve-preferences': 'string', 'tls-min-version': 'string',
  vmodule: 'string', 'watch-cache': 'boolean', 'watch-cache-sizes': 'string',
}

/** Refused: a test that sets them would find them missing. What is said of each. */
const refused: Readonly<Record<string, string>> = {
  'admission-control': 'it is no flag of 1.36; use --enable-admission-plugins and --disable-admission-plugins',
  'admission-control-config-file': 'admission plugins are not configured by files',
  'audit-log-path': 'no audit log is written', 'audit-policy-file': 'no audit log is written', 'audit-webhook-config-file': 'no audit log is written',
  'authentication-config': 'there is no JWT authenticator; use client certificates, --token-auth-file or service accounts',
  'authentication-token-webhook-config-file': 'there is no token webhook; use client certificates, --token-auth-file or service accounts',
  'authorization-config': 'authorizers are chosen by --authorization-mode: AlwaysAllow, AlwaysDeny, Node, RBAC',
  'authorization-policy-file': 'there is no ABAC; use RBAC', 'authorization-webhook-config-file': 'there is no authorization webhook; use RBAC',
  'cors-allowed-origins': 'no CORS headers are sent', 'disable-http2-serving': 'HTTP/2 and HTTP/1.1 are always served',
  'egress-selector-config-file': 'webhooks and kubelets are dialled directly', 'emulated-version': 'only 1.36 is served', 'min-compatibility-version': 'only 1.36 is served',
  'encryption-provider-config': 'stored objects are not encrypted', 'etcd-servers-overrides': 'all resources are in one storage',
  'kubernetes-service-node-port': 'the Service kubernetes has no node port', 
  'peer-ca-file': 'servers do not proxy to each other', 'service-account-jwks-uri': 'the issuer\'s keys are served at /openid/v1/jwks alone', 'service-account-lookup': 'tokens of deleted accounts are always refused',
  'service-account-signing-endpoint': 'tokens are signed by --service-account-signing-key-file', 'strict-transport-security-directives': 'no such header is sent', 'tls-sni-cert-key': 'one serving certificate is shown to all; use --tls-cert-file',
  'tracing-config-file': 'no traces are written',
}

const oidc = ['ca-file', 'client-id', 'groups-claim', 'groups-prefix', 'issuer-url', 'required-claim', 'signing-algs', 'username-claim', 'username-prefix']
const allRefused: Readonly<Record<string, string>> = {
  ...refused, ...Object.fromEntries(oidc.map((name) => [`oidc-${name}`, 'there is no OIDC; use client certificates, --token-auth-file or service accounts'])),
}

interface OtherFlag { readonly type: 'boolean' | 'string', readonly description: string, readonly hidden: true }

const flag = (type: 'boolean' | 'string', description: string): OtherFlag => ({ type, description, hidden: true })

/** The flags above that a command lacks, so that they can be parsed. Those that the server learns in time are its own then. */
export function otherFlags(known: Readonly<Record<string, unknown>>): Record<string, OtherFlag> {
  const others = [
    ...Object.entries(withoutEffect).map(([name, type]) => [name, flag(type, 'Without effect.')] as const),
    ...Object.entries(allRefused).map(([name, why]) => [name, flag('string', `Refused: ${why}.`)] as const),
  ]
  return Object.fromEntries(others.filter(([name]) => !Object.hasOwn(known, name)))
}

/** What is said of flags that were given: what refuses the start, and which do nothing. */
export function judgeOthers(given: ReadonlySet<string>, known: Readonly<Record<string, unknown>>): { refusals: string[], without: string[] } {
  const others = [...given].filter((name) => !Object.hasOwn(known, name))
  return {
    refusals: others.flatMap((name) => (allRefused[name] === undefined ? [] : [`--${name} is not supported: ${allRefused[name]}`])),
    without: others.filter((name) => Object.hasOwn(withoutEffect, name)),
  }
}
