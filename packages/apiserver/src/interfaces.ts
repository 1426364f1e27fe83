// What the rooms of the API server promise each other: requests, users, authentication, authorization, admission, the store that plugins see,
// virtual resources, connects, hooks. No logic lives here.
import type { Duplex, Readable } from 'node:stream'
import type { ObjectSchema, ResourceInfo } from '@berth/api'
import type { Storage } from './storage/storage.ts'

/** Any object of the API as it is kept in memory: plain JSON values (integers beyond 2^53 are bigint). Treat what you are handed by the store as frozen. */
export interface ApiObject {
  apiVersion?: string
  kind?: string
  metadata: ObjectMetadata
  [field: string]: unknown
}

/** The part of metadata that the server itself reads and writes. */
export interface ObjectMetadata {
  name: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string | null
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion: string, kind: string, name: string, uid: string, controller?: boolean, blockOwnerDeletion?: boolean }[]
  finalizers?: string[]
  managedFields?: unknown[]
  selfLink?: string
}

/** Who asks, as authentication found. */
export interface UserInfo {
  name: string
  uid?: string
  groups: string[]
  extra?: Record<string, string[]>
}

/** A request's path and verb, parsed as upstream's RequestInfo: `/api/v1/namespaces/a/pods/b/log` and so on. */
export interface RequestInfo {
  isResourceRequest: boolean
  /** Path without query. */
  path: string
  /** `get list watch create update patch delete deletecollection` for resources, the lower-case method otherwise. */
  verb: string
  apiPrefix: '' | 'api' | 'apis'
  apiGroup: string
  apiVersion: string
  /** '' when the request names none. For namespaces themselves: the namespace's name, as upstream. */
  namespace: string
  resource: string
  subresource: string
  name: string
  /** From the resource on; what follows the subresource too (proxy paths). */
  parts: string[]
  /** `/api/v1/watch/...` is served still, `/api/v1/proxy/...` is not. */
  prefix: '' | 'watch' | 'proxy'
  fieldSelector: string
  labelSelector: string
}

/** What an authenticator may look at. Header names are lower case. */
export interface AuthenticationRequest {
  headers: Readonly<Record<string, string | undefined>>
  /** Every header line as it was sent: name, value, name, value. What is in `headers` under one name is joined by commas. */
  rawHeaders?: readonly string[]
  path: string
  /** The client's certificate chain (DER, leaf first) as TLS saw it, not yet verified against a client CA. Empty without one. */
  clientCertificates: Uint8Array[]
}

/** Finds out who sent a request. */
export interface Authenticator {
  /** The user; undefined when the request carries nothing to go by (the caller decides about anonymous). Throws `unauthorized()` for bad credentials. */
  authenticate(request: AuthenticationRequest): Promise<UserInfo | undefined>
}

/** What is asked of an authorizer (upstream's authorizer.Attributes). */
export interface AuthorizationAttributes {
  user: UserInfo
  verb: string
  resourceRequest: boolean
  path: string
  namespace: string
  apiGroup: string
  apiVersion: string
  resource: string
  subresource: string
  name: string
  /** As sent with a list, watch or deletecollection. The node authorizer reads it. */
  fieldSelector?: string
}

export interface AuthorizationDecision {
  decision: 'allow' | 'deny' | 'noOpinion'
  reason: string
}

/** Decides whether a user may do something. Never throws; an error is part of the reason. */
export interface Authorizer {
  authorize(attributes: AuthorizationAttributes): Promise<AuthorizationDecision> | AuthorizationDecision
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** What admission sees of a request. `object` may be changed by `admit` alone; `oldObject` never. */
export interface AdmissionAttributes {
  operation: Operation
  resource: ResourceInfo
  subresource: string
  /** Kind of `object` (a Binding, a Scale, ... for subresources). */
  kind: { group: string, version: string, kind: string }
  namespace: string
  name: string
  /** Absent for DELETE. */
  object: ApiObject | undefined
  /** Set for UPDATE and DELETE. */
  oldObject: ApiObject | undefined
  /** CreateOptions, UpdateOptions, PatchOptions, DeleteOptions or a connect's options. */
  options: Readonly<Record<string, unknown>>
  user: UserInfo
  dryRun: boolean
  /** Adds a `Warning: 299` header to the answer. */
  warn(text: string): void
  /** Reads what a webhook made of `object` as an object of its kind, with defaults. Absent where nothing is stored. */
  adopt?(value: unknown): ApiObject
  /** Set by the chain while plugins mutate. */
  rounds?: AdmissionRounds
}

/**
 * The rounds of mutating admission of one request. A webhook or policy that changes the object asks for a second round, in which every plugin sees
 * the object again, and they themselves run what wants to be run again.
 */
export interface AdmissionRounds {
  readonly isSecond: boolean
  /** Asks for a second round; in it, nothing happens. */
  again(): void
  /** What a plugin keeps between the rounds, by its name. */
  readonly memory: Map<string, unknown>
}

/** An admission plugin. Refuses by throwing a StatusError (usually `forbidden`). Mutating plugins run first, in order, then all validate. */
export interface AdmissionPlugin {
  /** Upstream's name, as in --disable-admission-plugins. */
  readonly name: string
  handles(operation: Operation): boolean
  admit?(attributes: AdmissionAttributes): Promise<void> | void
  validate?(attributes: AdmissionAttributes): Promise<void> | void
}

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED'

/**
 * The registry as parts inside the server see it: reads come from memory (committed state) and are synchronous; writes run the resource's
 * strategy (names, defaults, validation, managedFields) but neither authorization nor admission.
 */
export interface ResourceStore {
  /** The object, or undefined. Frozen by agreement: copy before changing. */
  get<T>(resource: ResourceInfo<T>, name: string, namespace?: string): T | undefined
  /** Every object of a resource, or of one namespace; ordered by key. */
  list<T>(resource: ResourceInfo<T>, namespace?: string): T[]
  /** The resource of a kind, in the version named; undefined where it is not served. */
  resourceOf(apiVersion: string, kind: string): ResourceInfo | undefined
  /** The schema of a resource's objects, of a custom one too. */
  schemaOf(resource: ResourceInfo): ObjectSchema | undefined
  /** Resolves after the commit. Throws StatusError (AlreadyExists, Invalid, ...). */
  create<T>(resource: ResourceInfo<T>, object: T, options?: StoreWriteOptions): Promise<T>
  /** Replaces; with metadata.resourceVersion set, Conflict when that is not the newest. */
  update<T>(resource: ResourceInfo<T>, object: T, options?: StoreWriteOptions): Promise<T>
  /** Deletes at once (grace period 0, background), finalizers respected. NotFound when there is none or a precondition's uid differs: Conflict. */
  delete(resource: ResourceInfo, name: string, options?: { namespace?: string, uid?: string }): Promise<void>
  /** Calls the handler for every object there is now, then for each committed change, in order, synchronously. Returns the way to stop. */
  onChange<T>(resource: ResourceInfo<T>, handler: (type: ChangeType, object: T, old: T | undefined) => void): () => void
}

export interface StoreWriteOptions {
  /** Name in managedFields; default `kube-apiserver`. */
  fieldManager?: string
  /** Update this subresource (`status`) instead of the main resource. */
  subresource?: string
}

/** What goes on around one write; given to hooks. */
export interface WriteContext {
  user: UserInfo
  dryRun: boolean
  warn(text: string): void
}

/** Undoes or completes what a hook reserved, once the write's fate is known. */
export interface WriteOutcome {
  /** After the commit. */
  commit?(): void | Promise<void>
  /** The write failed or was a dry run. */
  revert?(): void | Promise<void>
}

/**
 * Work that belongs to one resource's writes and reaches beyond the object (cluster IPs, node ports): upstream's BeginCreate, BeginUpdate and AfterDelete.
 * Runs after strategy and defaults; `begin*` may change `object` and runs *before* validation of allocated values, *after* `validate*` of the strategy.
 */
export interface WriteHook {
  readonly group: string
  readonly resource: string
  /** Before validation: fill what validation expects (ipFamilies, clusterIPs from clusterIP). `old` is undefined on create. Must be idempotent. */
  normalize?(object: ApiObject, old: ApiObject | undefined): void
  beginCreate?(object: ApiObject, context: WriteContext): Promise<WriteOutcome>
  beginUpdate?(object: ApiObject, old: ApiObject, context: WriteContext): Promise<WriteOutcome>
  afterDelete?(object: ApiObject, context: WriteContext): Promise<void>
}

/** What a virtual resource's handler is told besides the object. */
export interface VirtualContext extends WriteContext {
  namespace: string
  /** The parent's name for subresources, '' for resources. */
  name: string
  /** The parent object of a subresource; 404 was answered already when there is none. */
  parent: ApiObject | undefined
}

/** A resource that is only created and never stored: TokenReview, SubjectAccessReview, ... The object is decoded and defaulted. */
export interface VirtualResource {
  readonly resource: ResourceInfo
  create(object: ApiObject, context: VirtualContext): Promise<ApiObject>
}

/** A subresource that is only created and never stored: serviceaccounts/token. */
export interface VirtualSubresource {
  readonly parent: ResourceInfo
  readonly name: string
  readonly kind: { group: string, version: string, kind: string }
  create(object: ApiObject, context: VirtualContext): Promise<ApiObject>
}

/** A request as every handler sees it, from a socket or from within the process. Header names are lower case. */
export interface ApiRequest {
  method: string
  /** Path with query, as sent. */
  url: string
  headers: Readonly<Record<string, string | undefined>>
  /** Every header line as it was sent: name, value, name, value. */
  rawHeaders?: readonly string[]
  /** The whole body; throws RequestEntityTooLarge beyond the limit. Empty without one. */
  body(): Promise<Uint8Array>
  /** The body as it comes, of any size, for those who pass it on; not to be used together with `body`. */
  bodyStream?: Readable
  /** Aborts when the client goes away or the server stops. */
  signal: AbortSignal
  remoteAddress: string
  clientCertificates: Uint8Array[]
  /** Set for in-process requests: authentication is done. */
  user?: UserInfo
  /** Set for HTTP/1.1 upgrade requests: the handler owns the socket once it has written to it. */
  upgrade?: { socket: Duplex, head: Uint8Array }
}

/** An answer; a string or bytes are sent with their length, an iterable is streamed. */
export interface ApiResponse {
  status: number
  headers: Record<string, string | string[]>
  body: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Of a stream: takes what to do when it ends because the client does not read it. Its connection is cut then, since nothing more can be sent on it. */
  whenCut?(cut: () => void): void
}

/** What a connect handler is told: authenticated, authorized and admitted. */
export interface ConnectContext {
  request: ApiRequest
  info: RequestInfo
  query: URLSearchParams
  user: UserInfo
  /** The parent object (a Pod, a Node); 404 was answered already when there is none. */
  parent: ApiObject
}

/** pods/log, pods/exec, pods/attach, pods/portforward, ... */
export interface ConnectHandler {
  readonly parent: ResourceInfo
  readonly subresource: string
  readonly methods: readonly string[]
  /** The parent's name within the name of the request (proxies take `https:name:port`); throws BadRequest where there is none. */
  parentName?(name: string): string
  /** Checks options and answers; for an upgrade it takes `request.upgrade` over and returns undefined. Throws StatusError. */
  connect(context: ConnectContext): Promise<ApiResponse | undefined>
}

/** Runs once the server answers requests: default namespaces, RBAC, the `kubernetes` Service. */
export interface BootstrapHook {
  /** `poststarthook/<name>` in /readyz?verbose: upstream's names, such as `rbac/bootstrap-roles`. */
  readonly name: string
  /** Retried with back-off until it resolves; /readyz fails until then. */
  run(signal: AbortSignal): Promise<void>
}

/** The TLS identity of the server and the authorities it trusts. PEM throughout. */
export interface ServerCertificates {
  servingCert: string
  servingKey: string
  /** CA of the serving certificate, for kubeconfigs and the kube-root-ca.crt ConfigMap. */
  servingCa: string
  /** Client certificates are asked for when set. */
  clientCa?: string
  /** The authority of proxies that may name the user in headers. */
  requestHeaderCa?: string
}

/** --etcd-* of kube-apiserver. */
export interface EtcdOptions {
  servers: string[]
  prefix: string
  caFile?: string
  certFile?: string
  keyFile?: string
  /** 0: never. */
  compactionIntervalMs: number
  healthcheckTimeoutMs: number
  readycheckTimeoutMs: number
  /** --storage-media-type: how built-in kinds are written. */
  mediaType: 'application/vnd.kubernetes.protobuf' | 'application/json'
}

/** The settings of an API server: upstream's flags in camel case, with upstream's defaults filled in by config.ts. */
export interface ApiServerOptions {
  /** Holds the database and, unless `certDir` is given, keys and certificates. `:memory:` writes no file: SQLite in memory, keys and certificates that are the process's alone. */
  dataDir: string
  /** 'memory' keeps nothing at all (tests of this package). */
  storage: 'sqlite' | 'etcd3' | 'memory'
  /** false: SQLite does not wait for the disk. What was acknowledged outlives the process, and not a crash of the machine. */
  fsync?: boolean
  /** Where storage 'etcd3' is. */
  etcd: EtcdOptions
  bindAddress: string
  /** 0 picks a free port. */
  securePort: number
  advertiseAddress?: string
  certDir: string
  tlsCertFile?: string
  tlsPrivateKeyFile?: string
  /** Further names and addresses for the generated serving certificate. */
  certSans: string[]
  clientCaFile?: string
  tokenAuthFile?: string
  anonymousAuth: boolean
  /** Whether bootstrap tokens (Secrets in kube-system) are believed. */
  enableBootstrapTokenAuth: boolean
  /** Whether pods may have privileged containers. */
  allowPrivileged: boolean
  authorizationModes: string[]
  serviceClusterIpRange: string
  serviceNodePortRange: { from: number, to: number }
  serviceAccountIssuer: string
  serviceAccountKeyFiles: string[]
  serviceAccountSigningKeyFile?: string
  serviceAccountMaxTokenExpirationSeconds: number
  apiAudiences: string[]
  /** --feature-gates: what features.ts knows. */
  featureGates: Record<string, boolean>
  /** --runtime-config: `scheduling.k8s.io/v1alpha2: true`. */
  runtimeConfig: Record<string, boolean>
  enableAdmissionPlugins: string[]
  disableAdmissionPlugins: string[]
  kubeletClientCertificate?: string
  kubeletClientKey?: string
  kubeletCertificateAuthority?: string
  kubeletPreferredAddressTypes: string[]
  /** What this server shows to aggregated API servers; made in --cert-dir where not given. */
  proxyClientCertFile?: string
  proxyClientKeyFile?: string
  /** Authority of proxies that may name the user in headers; made in --cert-dir where not given. */
  requestHeaderClientCaFile?: string
  /** Common names of such proxies' certificates; empty allows any that the authority signed. */
  requestHeaderAllowedNames: string[]
  requestHeaderUsernameHeaders: string[]
  requestHeaderUidHeaders: string[]
  requestHeaderGroupHeaders: string[]
  requestHeaderExtraHeadersPrefix: string[]
  /** Requests go to endpoints of an aggregated server's Service, not to its cluster IP. */
  enableAggregatorRouting: boolean
  /** Redirects of aggregated servers are not passed on to clients. */
  aggregatorRejectForwardingRedirect: boolean
  eventTtlSeconds: number
  maxRequestBytes: number
  requestTimeoutSeconds: number
  minRequestTimeoutSeconds: number
  /** --max-requests-inflight: how many requests that read are worked on at a time; 0 is no limit. */
  maxRequestsInflight: number
  /** --max-mutating-requests-inflight. */
  maxMutatingRequestsInflight: number
}

/** Lines of the server's log; `@berth/kube`'s Logger fits. */
export interface ServerLog {
  info(message: string, values?: Record<string, unknown>): void
  error(error: unknown, message: string, values?: Record<string, unknown>): void
}

/** What the factories of authentication, authorization, admission, bootstrap, allocators and virtual resources are given. */
export interface ServerDependencies {
  options: ApiServerOptions
  certificates: ServerCertificates
  store: ResourceStore
  /** For what is stored and is no API object: node ports, who serves. */
  storage: Pick<Storage, 'shared' | 'confirm' | 'write' | 'latest' | 'readAt'>
  log: ServerLog
  /** The port that is listened on (known once listening; bootstrap hooks run after that). */
  port(): number
}

/** One value for everything apiserver-auth's rooms offer; `src/security.ts` builds it. */
export interface SecurityParts {
  authenticator: Authenticator
  authorizer: Authorizer
  admission: AdmissionPlugin[]
  writeHooks: WriteHook[]
  virtualResources: VirtualResource[]
  virtualSubresources: VirtualSubresource[]
  connectHandlers: ConnectHandler[]
  bootstrap: BootstrapHook[]
  /** Further non-resource paths, such as /openid/v1/jwks and /.well-known/openid-configuration. */
  paths: { path: string, handle(request: ApiRequest): Promise<ApiResponse> }[]
}
