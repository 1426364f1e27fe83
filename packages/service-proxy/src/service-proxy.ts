import { writeFile } from 'node:fs/promises'
import type { RequestListener, Server } from 'node:http'
import { core, discovery } from '@berth/api'
import type { Node, Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { createInformers, type Informers, keyOf, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { Registry } from 'prom-client'
import { type KubeProxyConfiguration, type ProxySettings, settle } from './config.ts'
import { HealthCheckPorts, healthHandler, listen } from './health/servers.ts'
import { createMetrics } from './metrics.ts'
import { detectorOf, isEligible, placeOf } from './node-facts.ts'
import { tableName } from './ruleset/table.ts'
import { Syncer } from './syncer.ts'

export interface ServiceProxyOptions {
  client: KubeClient
  /** Shared informers; own ones are made (and started) without. */
  informers?: Informers
  nodeName: string
  /** KubeProxyConfiguration; upstream's defaults without. */
  config?: KubeProxyConfiguration
  registry?: Registry
  logger: Logger
}

const serviceNameLabel = 'kubernetes.io/service-name'
const slicesForProxies = '!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name'
const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time'

/**
 * Runs the service proxy of this node in this process's network namespace. Resolves when the first rules are in the kernel (or, where the API server cannot be reached,
 * when the servers listen). Throws ProxyError for a configuration that cannot be served.
 */
export async function startServiceProxy(options: ServiceProxyOptions): Promise<RunningPart> {
  const { nodeName, logger, config = {} } = options
  const settings = settle(config)
  const registry = options.registry ?? new Registry()
  const metrics = createMetrics(registry)
  const stop = new AbortController()
  const informers = options.informers ?? createInformers(options.client, { logger })
  const nodes = informers.for<Node>(core.nodes, { fieldSelector: `metadata.name=${nodeName}` })
  const services = informers.for<Service>(core.services)
  const slices = informers.for<EndpointSlice>(discovery.endpointslices, { labelSelector: slicesForProxies, indexers: { service: (slice) => [serviceOf(slice)] } })
  const node = (): Node | undefined => nodes.store.get(nodeName)

  const dirty = { services: new Set<string>(), endpoints: new Set<string>() }
  /** Times at which endpoints were changed by what the next sync brings. */
  let triggers: number[] = []
  let lastUpdated = Date.now()
  let queuedSince: number | undefined
  let synced = false
  const healthy = (): boolean => synced && (queuedSince === undefined || Date.now() - queuedSince < 2 * settings.syncPeriodMs)
  const health = new HealthCheckPorts('0.0.0.0', healthy)

  let wake: () => void = () => {}
  const changed = (what: 'service' | 'endpoint', name: string): void => {
    (what === 'service' ? dirty.services : dirty.endpoints).add(name)
    queuedSince ??= Date.now()
    metrics.queued(what)
    wake()
  }
  const allChanged = (): void => services.store.keys().forEach((name) => changed('service', name))
  const offs = [
    services.on({ added: (s) => changed('service', keyOf(s)), updated: (_, s) => changed('service', keyOf(s)), deleted: (s) => changed('service', keyOf(s)) }),
    slices.on({
      added: (slice) => changed('endpoint', serviceOf(slice)),
      updated: (old, now) => {
        changed('endpoint', serviceOf(now))
        if (serviceOf(old) !== serviceOf(now)) changed('endpoint', serviceOf(old))
        const at = Date.parse(now.metadata.annotations?.[triggerTime] ?? '')
        if (synced && !Number.isNaN(at)) triggers.push(at)
      },
      deleted: (slice) => changed('endpoint', serviceOf(slice)),
    }),
    nodes.on({ added: allChanged, updated: (old, now) => { if (placeChanged(old, now)) allChanged() }, deleted: allChanged }),
  ]

  const servers: Server[] = []
  if (settings.healthz) servers.push(await listen(settings.healthz, healthHandler({ healthy, lastUpdated: () => lastUpdated, eligible: () => isEligible(node()) })))
  if (settings.metrics) servers.push(await listen(settings.metrics, metricsHandler(registry, config)))
  await applySysctls(settings, logger)
  if (!options.informers) informers.start(stop.signal)

  const first = Promise.withResolvers<void>()
  const run = async (): Promise<void> => {
    await Promise.all([nodes, services, slices].map((informer) => informer.whenSynced(stop.signal)))
    const detector = detectorOf(node(), settings)
    if (!detector) logger.warn('Cannot tell pods from others: traffic from outside to cluster IPs is not masqueraded', { detectLocalMode: settings.detectLocal.mode })
    const syncer = new Syncer({
      settings: { detector, masqueradeMark: settings.masqueradeMark },
      service: (name) => services.store.get(name), slices: (name) => slices.store.byIndex('service', name), place: () => placeOf(nodeName, node(), settings), metrics, logger,
    })
    await loop(syncer)
  }

  // One sync after the other; what comes meanwhile is taken by the next one, at the earliest after the minimal period.
  const loop = async (syncer: Syncer): Promise<void> => {
    let verifyAt = 0
    let failures = 0
    services.store.keys().forEach((name) => dirty.services.add(name))
    while (!stop.signal.aborted) {
      const names = new Set([...dirty.services, ...dirty.endpoints])
      const programmed = triggers
      const full = performance.now() >= verifyAt
      dirty.services.clear()
      dirty.endpoints.clear()
      triggers = []
      const start = performance.now()
      try {
        // Before the first sync nothing is known to be wanted, so the table is only read, and edited together with it.
        if (full && synced && await syncer.verify()) logger.warn('Rules had been changed by somebody else and were put right', { table: tableName })
        if (!synced) await syncer.readFirst()
        await syncer.sync(names)
        for (const problem of await health.sync(syncer.healthPorts())) logger.warn('Cannot open a health check node port', { problem })
        synced = true
        failures = 0
        queuedSince = dirty.services.size + dirty.endpoints.size > 0 ? Date.now() : undefined
        lastUpdated = Date.now()
        const spent = performance.now() - start
        metrics.synced(spent / 1000, full)
        for (const at of programmed) metrics.programmed((Date.now() - at) / 1000)
        // Looking through a large table has its price: never more than a hundredth of the time.
        if (full) verifyAt = performance.now() + Math.max(settings.syncPeriodMs, 100 * spent)
        first.resolve()
      } catch (error) {
        if (stop.signal.aborted) break
        metrics.failed()
        logger.error(error, 'Failed to sync rules, will retry')
        failures++
        verifyAt = 0
        for (const name of names) dirty.services.add(name)
      }
      metrics.pending(dirty.services.size, dirty.endpoints.size)
      const pause = failures > 0 ? Math.min(30_000, 500 * 2 ** failures) : settings.minSyncPeriodMs
      await sleep(pause, stop.signal)
      // Stopped during the pause: nobody would wake us any more.
      if (!stop.signal.aborted && dirty.services.size + dirty.endpoints.size === 0 && failures === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, verifyAt - performance.now()))
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    }
  }
  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) logger.error(error, 'The service proxy ended')
  })
  stop.signal.addEventListener('abort', () => {
    wake()
    first.resolve()
  })
  // An API server that is away must not hold the agent's start.
  await Promise.race([first.promise, sleep(5000, stop.signal)])
  logger.info('Service proxy started', { node: nodeName, table: tableName, synced })

  return {
    name: 'service-proxy',
    async stop() {
      if (stop.signal.aborted) return
      // The rules stay: connections are served while we are away.
      stop.abort()
      offs.forEach((off) => off())
      servers.forEach((server) => server.close())
      health.close()
      await running
    },
  }
}

function serviceOf(slice: EndpointSlice): string {
  return `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`
}

function placeChanged(old: Node, now: Node): boolean {
  const facts = (node: Node): string => JSON.stringify([node.status?.addresses, node.metadata.labels?.['topology.kubernetes.io/zone'], node.spec?.podCIDR])
  return facts(old) !== facts(now)
}

function metricsHandler(registry: Registry, config: KubeProxyConfiguration): RequestListener {
  const answers: Record<string, () => Promise<[string, string]>> = {
    '/metrics': async () => [registry.contentType, await registry.metrics()],
    '/healthz': async () => ['text/plain; charset=utf-8', 'ok'],
    '/proxyMode': async () => ['text/plain; charset=utf-8', 'nftables'],
    '/configz': async () => ['application/json', JSON.stringify({ 'kubeproxy.config.k8s.io': config })],
  }
  return (request, response) => {
    const answer = answers[request.url?.split('?')[0] ?? '']
    if (!answer) return void response.writeHead(404).end('404 page not found\n')
    void answer().then(([type, body]) => response.writeHead(200, { 'content-type': type }).end(body), (error: unknown) => response.writeHead(500).end(String(error)))
  }
}

async function applySysctls(settings: ProxySettings, logger: Logger): Promise<void> {
  for (const [name, value] of settings.conntrack) {
    // Some of conntrack's settings belong to the first namespace, where others may not write.
    await writeFile(`/proc/sys/net/netfilter/${name}`, String(value)).catch((error: unknown) => logger.v(2).info('Cannot set conntrack sysctl', { name, value, err: String(error) }))
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
