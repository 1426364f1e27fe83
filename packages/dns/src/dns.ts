import { createInformers, type Informers, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { Registry } from 'prom-client'
import { keepKubeDns } from './cluster/keep-kube-dns.ts'
import { watchRecords } from './cluster/watch-records.ts'
import { type DnsSettings, settle } from './config.ts'
import { Upstreams } from './forward/upstreams.ts'
import { createMetrics } from './metrics.ts'
import { RecordTable } from './records/record-table.ts'
import { Resolver } from './resolve/resolver.ts'
import { listenHttp } from './server/http.ts'
import { type DnsListener, listenDns } from './server/listen.ts'

export interface DnsOptions extends DnsSettings {
  client: KubeClient
  /** Shared informers; own ones are made (and started) without. */
  informers?: Informers
  registry?: Registry
  logger: Logger
}

/** A running cluster DNS. */
export interface RunningDns extends RunningPart {
  /** Of UDP and TCP. */
  readonly port: number
  readonly metricsPort: number | undefined
  /** Resolves when the tables are whole and the zone's names are answered. */
  whenReady(): Promise<void>
}

/**
 * Serves the cluster's names. Resolves when the sockets are bound; the zone's names are SERVFAIL until the API's objects are known. Throws DnsError for
 * an option that is wrong or an address that cannot be had.
 */
export async function startDns(options: DnsOptions): Promise<RunningDns> {
  const { client, logger } = options
  const settings = settle(options)
  const [firstAddress = ''] = settings.listen
  const table = new RecordTable({ zone: settings.zone, pods: settings.pods, nameServer: settings.service?.ip ?? firstAddress })
  const registry = options.registry ?? new Registry()
  const metrics = createMetrics(registry, `dns://:${settings.port}`, () => table.size)
  const upstreams = new Upstreams({ servers: settings.upstreams, metrics })
  const informers = options.informers ?? createInformers(client, { logger })
  const records = watchRecords(informers, table)
  const resolver = new Resolver({ table, synced: records.synced, upstreams, metrics, logger })
  const ending = new AbortController()
  const cleanUp: (() => unknown)[] = [() => records.stop(), () => upstreams.close()]
  const stopAll = async (): Promise<void> => {
    ending.abort()
    for (const clean of cleanUp.splice(0).reverse()) await clean()
  }

  let dns: DnsListener
  let metricsPort: number | undefined
  try {
    dns = await listenDns(settings.listen, settings.port, resolver)
    cleanUp.push(() => dns.close())
    if (settings.metrics) {
      const http = await listenHttp(settings.metrics, registry, records.synced)
      cleanUp.push(() => new Promise((resolve) => {
        http.close(resolve)
        http.closeAllConnections()
      }))
      const bound = http.address()
      metricsPort = typeof bound === 'object' ? bound?.port : undefined
    }
  } catch (error) {
    await stopAll()
    throw error
  }

  const public_ = settings.metrics && !/^(127\.|::1$)/.test(settings.metrics.address)
  const kept = settings.service === undefined ? undefined : keepKubeDns({
    client, informers, logger, serviceIp: settings.service.ip, nodeName: settings.service.nodeName, address: firstAddress, port: dns.port, metricsPort: public_ ? metricsPort : undefined,
  })
  // The endpoint goes first, then the sockets.
  if (kept) cleanUp.push(() => kept.stop())
  if (!options.informers) informers.start(ending.signal)
  const ready = records.whenSynced(ending.signal).then(() => {
    kept?.ready()
    logger.info('Serving the cluster zone', { zone: settings.zone, services: table.size })
  })
  ready.catch((error: unknown) => {
    if (!ending.signal.aborted) logger.error(error, 'The cluster zone cannot be served')
  })
  logger.info('Cluster DNS started', { listen: settings.listen, port: dns.port, zone: settings.zone, upstreams: settings.upstreams.map(({ address, port }) => `${address}:${port}`) })
  if (settings.upstreams.length === 0) logger.warn('There are no upstream servers: names outside of the cluster are not answered')

  let stopped: Promise<void> | undefined
  return {
    name: 'dns',
    port: dns.port,
    metricsPort,
    whenReady: () => ready,
    stop: () => stopped ??= stopAll(),
  }
}
