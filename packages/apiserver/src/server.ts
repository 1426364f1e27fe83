// Puts the rooms together: storage, registry, security, HTTP.
import { mkdir } from 'node:fs/promises'
import { createLogger, inProcessTransport } from '@berth/kube'
import type { Logger, RequestHandler, RequestUser, RunningPart, Transport } from '@berth/kube'
import { Aggregator } from './aggregation/aggregator.ts'
import { aggregatorMetrics } from './aggregation/metrics.ts'
import { autoRegistrationHook } from './aggregation/auto-registration-hook.ts'
import { flowSchemaStatusHook } from './bootstrap/flow-control-hooks.ts'
import { advertiseAddressOf, prepareCertificates, renewCertificates } from './certificates/index.ts'
import type { PreparedCertificates } from './certificates/index.ts'
import { apiServerOptions, inMemory } from './config.ts'
import type { GivenOptions } from './config.ts'
import type { ApiRequest, BootstrapHook } from './interfaces.ts'
import { Discovery, servedResources } from './http/discovery.ts'
import { createHandler } from './http/handler.ts'
import type { ApiHandler } from './http/handler.ts'
import { celRules } from './custom/cel-rules.ts'
import { CustomResources } from './custom/custom-resources.ts'
import { enabledDefinitions, featureGates } from './features.ts'
import type { HealthCheck } from './http/health.ts'
import { InflightLimit } from './http/inflight.ts'
import { listen } from './http/listener.ts'
import type { Listener } from './http/listener.ts'
import { serverPaths } from './http/server-paths.ts'
import { createMetrics } from './metrics.ts'
import { admissionChain } from './registry/admission-chain.ts'
import { startExpiry } from './registry/expiry.ts'
import { Registry } from './registry/registry.ts'
import { resourceStore } from './registry/resource-store.ts'
import { storedResources } from './resources/index.ts'
import { createSecurity } from './security.ts'
import { openStorage } from './storage/open.ts'

/** A running API server. */
export interface ApiServer extends RunningPart {
  /** Answers requests from within the process: the same authorization and admission as from outside; `user` is taken as authenticated. */
  readonly handler: RequestHandler
  readonly port: number
  readonly certificates: PreparedCertificates
  /** A transport that asks as this user. */
  clientFor(user: RequestUser): Transport
  /** A transport with all rights. */
  readonly loopback: Transport
  /** Resolves once every bootstrap hook has run: /readyz answers ok. */
  whenReady(): Promise<void>
}

export interface StartOptions extends GivenOptions {
  logger?: Logger
}

const loopbackUser: RequestUser = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }
const hookRetryMs = 500

/** Starts an API server; resolves once it listens and answers. Rejects when the port is taken, the data cannot be read, or a setting is wrong. */
export async function startApiServer(given: StartOptions): Promise<ApiServer> {
  const { logger = createLogger({ name: 'apiserver' }), ...rest } = given
  const options = apiServerOptions(rest)
  const features = featureGates(options.featureGates)
  const definitions = enabledDefinitions(storedResources, options.runtimeConfig)
  if (options.dataDir !== inMemory) await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  // Its thread starts while the certificates are looked at.
  const opened = await openStorage(options, definitions, logger)
  const { storage } = opened
  const certificates = await prepareCertificates(options).catch(async (error: unknown) => {
    await opened.close()
    throw error
  })
  const stopping = new AbortController()
  let listener: Listener | undefined
  let customResources: CustomResources | undefined
  const registry = new Registry({ storage, definitions, allowPrivileged: options.allowPrivileged, features, eventTtlSeconds: options.eventTtlSeconds })
  try {
    await registry.start()
    await opened.loaded()
    const store = resourceStore(registry)
    const security = createSecurity({ options, certificates, store, storage, log: logger, port: () => listener?.port ?? options.securePort })
    customResources = new CustomResources({ registry, store, log: logger, extraOf: celRules })
    customResources.start()
    for (const hook of security.writeHooks) registry.addHook(hook)
    const metrics = createMetrics({
      * storageObjects() {
        for (const runtime of registry.runtimes()) if (!runtime.definition.view) yield { group: runtime.gvk.group, resource: runtime.definition.resource.resource, count: runtime.cache.size }
      },
      storageBytes: () => storage.size(),
      storageClusterId: opened.clusterId,
      resourceVersion: () => registry.revision,
    })
    const userHeaders = new Set([...options.requestHeaderUsernameHeaders, ...options.requestHeaderUidHeaders, ...options.requestHeaderGroupHeaders].map((name) => name.toLowerCase()))
    const userPrefixes = options.requestHeaderExtraHeadersPrefix.map((name) => name.toLowerCase())
    const aggregator = new Aggregator(
      { store, toEndpoints: options.enableAggregatorRouting, proxyClient: security.proxyClient },
      { rejectRedirects: options.aggregatorRejectForwardingRedirect, isUserHeader: (name) => userHeaders.has(name) || userPrefixes.some((prefix) => name.startsWith(prefix)) },
      aggregatorMetrics(metrics.registry, store), logger,
    )
    aggregator.start(stopping.signal)
    const discovery = new Discovery(
      {
        version: () => registry.served + aggregator.version,
        aggregated: () => aggregator.versions(),
        resources: () => servedResources(registry, { resources: security.virtualResources, subresources: security.virtualSubresources, connects: security.connectHandlers }),
      },
      () => `${advertiseAddressOf(options)}:${listener?.port ?? options.securePort}`,
    )
    const hooks = new BootstrapRun([...security.bootstrap, autoRegistrationHook(store, () => discovery.groupVersions, logger), flowSchemaStatusHook(store, () => inProcessTransport(inProcessHandler(handler, stopping.signal), loopbackUser), logger)], logger)
    const checks = healthChecks(hooks, opened.checks, stopping.signal)
    const handler = createHandler({
      deps: {
        registry, admission: admissionChain(security.admission), virtualResources: security.virtualResources, virtualSubresources: security.virtualSubresources,
        connectHandlers: security.connectHandlers, minRequestTimeoutSeconds: options.minRequestTimeoutSeconds, authorizer: security.authorizer,
      },
      authenticator: security.authenticator, authorizer: security.authorizer, servedGroupVersions: () => discovery.groupVersions,
      aggregator, paths: serverPaths({ discovery, aggregator, checks, metrics, security: security.paths }), metrics, log: logger, requestTimeoutSeconds: options.requestTimeoutSeconds,
      inflight: new InflightLimit({ readOnly: options.maxRequestsInflight, mutating: options.maxMutatingRequestsInflight }),
    })
    listener = await listen({ address: options.bindAddress, port: options.securePort, certificates, maxRequestBytes: options.maxRequestBytes, handler, log: logger })
    logger.info('Serving securely', { address: `${options.bindAddress}:${listener.port}` })
    const stopRenewal = renewCertificates(options, certificates, (renewed) => {
      listener?.setCertificates(renewed)
      security.replaceCertificates(renewed)
    }, logger)
    const stopExpiry = startExpiry(registry, options, logger)
    hooks.start(stopping.signal)
    return runningServer({ handler, listener, certificates, hooks, async stop() {
      stopping.abort(new Error('the server is stopping'))
      stopRenewal()
      stopExpiry()
      await hooks.done
      customResources?.stop()
      await listener?.close()
      registry.stop()
      await opened.close()
    }, stopping: stopping.signal })
  } catch (error) {
    stopping.abort()
    await listener?.close()
    await opened.close().catch(() => {})
    throw error
  }
}

function runningServer(parts: { handler: ApiHandler, listener: Listener, certificates: PreparedCertificates, hooks: BootstrapRun, stop(): Promise<void>, stopping: AbortSignal }): ApiServer {
  const handler = inProcessHandler(parts.handler, parts.stopping)
  let stopped: Promise<void> | undefined
  return {
    name: 'apiserver', handler, port: parts.listener.port, certificates: parts.certificates,
    clientFor: (user) => inProcessTransport(handler, user),
    loopback: inProcessTransport(handler, loopbackUser),
    whenReady: () => parts.hooks.done,
    stop: () => (stopped ??= parts.stop()),
  }
}

/** The handler behind kube's in-process contract. */
export function inProcessHandler(handler: ApiHandler, stopping: AbortSignal): RequestHandler {
  return async (request) => {
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body ?? new Uint8Array()
    const asked: ApiRequest = {
      method: request.method, url: request.path, headers: request.headers ?? {}, body: async () => body,
      signal: request.signal ? AbortSignal.any([request.signal, stopping]) : stopping, remoteAddress: '127.0.0.1', clientCertificates: [], ...(request.user && { user: request.user }),
    }
    const answer = await handler(asked)
    if (!answer) throw new Error('an in-process request cannot be upgraded')
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(answer.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : value
    return { status: answer.status, headers, body: typeof answer.body === 'string' || answer.body instanceof Uint8Array ? once(answer.body) : answer.body }
  }
}

async function* once(body: string | Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes.length > 0) yield bytes
}

/** Runs what a server does for itself once it answers; each until it succeeds. */
class BootstrapRun {
  readonly #hooks: readonly BootstrapHook[]
  readonly #log: Logger
  readonly #pending: Set<string>
  #resolve: () => void = () => {}
  /** When all have run, or the server stops. */
  readonly done: Promise<void>

  constructor(hooks: readonly BootstrapHook[], log: Logger) {
    this.#hooks = hooks
    this.#log = log
    this.#pending = new Set(hooks.map((h) => h.name))
    this.done = new Promise((resolve) => { this.#resolve = resolve })
  }

  get names(): string[] {
    return this.#hooks.map((h) => h.name)
  }

  isDone(name: string): boolean {
    return !this.#pending.has(name)
  }

  start(signal: AbortSignal): void {
    void Promise.all(this.#hooks.map((hook) => this.#run(hook, signal))).then(() => this.#resolve())
  }

  async #run(hook: BootstrapHook, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await hook.run(signal)
        this.#pending.delete(hook.name)
        return
      } catch (error) {
        if (signal.aborted) return
        this.#log.error(error, 'A start-up hook failed and is tried again', { hook: hook.name })
        await new Promise((resolve) => setTimeout(resolve, hookRetryMs))
      }
    }
  }
}

function healthChecks(hooks: BootstrapRun, storage: readonly HealthCheck[], stopping: AbortSignal): HealthCheck[] {
  const all = ['healthz', 'livez', 'readyz'] as const
  return [
    { name: 'ping', for: all, check() {} },
    { name: 'log', for: all, check() {} },
    ...storage,
    ...hooks.names.map((name): HealthCheck => ({ name: `poststarthook/${name}`, for: all, check() {
      if (!hooks.isDone(name)) throw new Error('not finished')
    } })),
    { name: 'shutdown', for: ['readyz'], check() {
      if (stopping.aborted) throw new Error('process is shutting down')
    } },
  ]
}
