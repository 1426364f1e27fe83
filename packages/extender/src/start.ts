import { readFile } from 'node:fs/promises'
import type { Pod } from '@berth/api/types/core/v1'
import { createInformers, delegatedAuthentication, systemClock, type KubeClient, type Logger, type RunningPart } from '@berth/kube'
import { Cache, connectFeed, connectKind, podKey, startPolls, watchedKinds, whenServed, type Change } from '@berth/scheduler/parts'
import { profileOf, type ExtenderConfig } from './config.ts'
import { Binder } from './core/binder.ts'
import { Extender } from './core/extender.ts'
import { ConfigError } from './errors.ts'
import { ExtenderMetrics } from './metrics.ts'
import { authenticator, readTokenFile } from './server/authenticate.ts'
import { BufferPool } from './server/buffers.ts'
import { Gate } from './server/gate.ts'
import { startServer } from './server/server.ts'
import { NodeReader } from './wire/sent-node.ts'

export interface StartExtenderOptions {
  readonly client: KubeClient
  readonly config: ExtenderConfig
  readonly logger: Logger
}

/** An extender that answers. */
export interface RunningExtender extends RunningPart {
  readonly port: number
  readonly metrics: ExtenderMetrics
  /** Resolves when it knows the cluster; before that it says so instead of answering. */
  whenSynced(): Promise<void>
}

/** Starts an extender: it listens at once, and answers as soon as it knows the cluster. */
export async function startExtender({ client, config, logger }: StartExtenderOptions): Promise<RunningExtender> {
  const abort = new AbortController()
  const cache = new Cache()
  const profile = profileOf(config, () => cache)
  const waiting = new Map<string, Pod>()
  let synced = false
  const gate = new Gate(config.limits.maxInFlight, config.limits.maxQueued)
  const metrics = new ExtenderMetrics(() => gate.load)
  const extender = new Extender({ cache, profile, metrics, synced: () => synced, binder: new Binder({ cache, profile, client, waiting: (key) => waiting.get(key) }) })
  const server = await startServer({
    extender, gate, metrics, logger, nodeReader: new NodeReader(), buffers: new BufferPool(), ...await accessOf(config, client),
    address: config.serving.address, port: config.serving.port, limits: config.limits,
    readyChecks: { 'informer-sync': () => { if (!synced) throw new Error('the cluster is not known yet') } },
  })
  const following = follow({ client, config, logger, cache, profile, waiting, signal: abort.signal }).then(() => { synced = true })
  following.catch((error: unknown) => { if (!abort.signal.aborted) logger.error(error, 'Cannot follow the cluster') })
  return {
    name: 'extender', port: server.port, metrics,
    whenSynced: () => following,
    async stop() {
      await server.close()
      abort.abort()
      await following.catch(() => undefined)
    },
  }
}

interface Following { client: KubeClient; config: ExtenderConfig; logger: Logger; cache: Cache; profile: ReturnType<typeof profileOf>; waiting: Map<string, Pod>; signal: AbortSignal }

/** Keeps the cache as the scheduler keeps its own, pods that wait for their victims included. */
async function follow({ client, config, logger, cache, profile, waiting, signal }: Following): Promise<void> {
  const informers = createInformers(client, { logger })
  const change = (change: Change): void => {
    try {
      cache.apply(change)
    } catch (error) {
      // A pod whose amounts cannot be read must not stop the extender; it does not count.
      logger.error(error, 'Failed to take in a change', { type: change.type })
    }
  }
  const sink = {
    change,
    event: () => undefined,
    waiting(pod: Pod) {
      const key = podKey(pod)
      waiting.set(key, pod)
      const node = pod.status?.nominatedNodeName
      if (cache.isAssumed(key)) return
      if (node) change({ type: 'nominate', pod, node })
      else if (cache.nominationOf(key) !== undefined) change({ type: 'nomination-gone', key })
    },
    settled(key: string) {
      waiting.delete(key)
      if (cache.nominationOf(key) !== undefined) change({ type: 'nomination-gone', key })
    },
  }
  connectFeed(informers, sink)
  const clock = systemClock
  await whenServed(watchedKinds([profile]), (resource) => connectKind(informers, resource, sink), { client, clock, logger }, signal)
  startPolls(profile.plugins.map(({ name }) => name), config.args, change, { client, clock, logger }, signal)
  informers.start(signal)
  await informers.whenSynced(signal)
}

/** Certificates and who may ask, from the configuration's files. */
async function accessOf(config: ExtenderConfig, client: KubeClient) {
  const { serving: { tls }, authentication: { tokenFile, tokenReview, anonymous }, authorization: { users, groups } } = config
  const read = async (path: string, file: string): Promise<string> => {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      throw new ConfigError(`${path}: ${(error as Error).message}`, { cause: error })
    }
  }
  const proves = tls?.clientCAFile !== undefined || tokenFile !== undefined || tokenReview
  return {
    ...(tls ? { tls: {
      cert: await read('serving.tls.certFile', tls.certFile), key: await read('serving.tls.keyFile', tls.keyFile),
      ...(tls.clientCAFile === undefined ? {} : { clientCa: await read('serving.tls.clientCAFile', tls.clientCAFile) }),
    } } : {}),
    // On loopback nobody has to show anything, where the configuration names no way to.
    ...(anonymous || !proves ? {} : { authenticate: authenticator(tokenFile === undefined ? [] : await readTokenFile(tokenFile), tokenReview ? delegatedAuthentication({ client }) : undefined) }),
    allows: (user: { name: string; groups: string[] }) => (users.length === 0 && groups.length === 0) || users.includes(user.name) || user.groups.some((group) => groups.includes(group)),
  }
}
