import { createInformers, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { Registry } from 'prom-client'
import { Forwarder } from './forward/forward.ts'
import { HostResolvers } from './forward/resolvers.ts'
import { createMetrics } from './metrics.ts'
import { startPublisher } from './publish/publisher.ts'
import { serveHealth } from './server/health.ts'
import { serveOn } from './server/listeners.ts'
import { Responder } from './server/responder.ts'
import type { DnsSettings } from './settings.ts'
import { feedZone } from './zone/feed.ts'
import { Zone } from './zone/zone.ts'

/** Serves DNS in this thread. Resolves when it answers and, if the API server can be reached, when the zone is complete. Throws DnsError. */
export async function runDnsServer(settings: DnsSettings, client: KubeClient, logger: Logger): Promise<RunningPart> {
  const stop = new AbortController()
  const registry = new Registry()
  const first = settings.listen[0]
  const metrics = createMetrics(registry, `dns://${first?.address}:${first?.port}`)
  const zone = new Zone()
  const informers = createInformers(client, { logger })
  const feed = feedZone(zone, informers, metrics.programmed)
  const host = new HostResolvers()
  const own = new Set(settings.listen.map((at) => at.address))
  const forwarder = new Forwarder({
    // The host's file may name ourselves: that would go round and round.
    upstreams: async () => settings.upstreams ?? (await host.current()).filter((upstream) => !own.has(upstream.address)),
    observe: metrics.forwarded,
  })
  const nameServer = settings.serviceIp === undefined ? settings.listen.map((at) => at.address) : [settings.serviceIp]
  const responder = new Responder({
    zone, settings: { zone: settings.clusterDomain, ttl: settings.ttl, nameServer }, forwarder, synced: feed.synced, random: Math.random, observe: metrics.observe,
  })
  const servers: { close(): unknown }[] = []
  let port = first?.port ?? 53
  try {
    for (const at of settings.listen) {
      const server = await serveOn(at, (message, protocol) => responder.respond(message, protocol))
      if (at === first) port = server.port
      servers.push(server)
    }
    if (settings.metrics) servers.push(await serveHealth(settings.metrics, registry, feed.synced))
  } catch (error) {
    for (const server of servers) await server.close()
    throw error
  }
  informers.start(stop.signal)
  // An API server that is away must not hold the agent's start.
  const waited = Promise.withResolvers<void>()
  const patience = setTimeout(() => waited.resolve(), 5000)
  feed.whenSynced(stop.signal).then(waited.resolve, () => waited.resolve())
  await waited.promise
  clearTimeout(patience)

  const publisher = settings.publish && first && startPublisher({
    client, logger, nodeName: settings.nodeName, address: first.address, port, serviceIp: settings.serviceIp, services: feed.services, slices: feed.slices, ready: feed.synced,
  })
  if (publisher) {
    publisher.check()
    if (!feed.synced()) feed.whenSynced(stop.signal).then(() => publisher.check(), () => {})
  }
  logger.info('DNS started', { zone: settings.clusterDomain, listen: settings.listen.map((at) => `${at.address}:${at.port}`).join(), synced: feed.synced() })

  return {
    name: 'dns',
    async stop() {
      if (stop.signal.aborted) return
      stop.abort()
      // First of all: nobody should be led here any more.
      if (publisher) await publisher.stop()
      feed.stop()
      forwarder.close()
      for (const server of servers) await server.close()
    },
  }
}
