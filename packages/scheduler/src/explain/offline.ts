import { core, type ResourceInfo } from '@berth/api'
import { createInformers, systemClock, type KubeClient, type Logger } from '@berth/kube'
import type { SchedulerConfig } from '../config/config.ts'
import { makeProfile, watchedKinds, type Profile } from '../framework/profile.ts'
import { connectFeed, type FeedSink } from '../loop/feed.ts'
import { whenServed } from '../loop/served.ts'
import { connectKind } from '../loop/watch-kinds.ts'
import { Explainer } from './explainer.ts'

/** Without these nothing can be told of any placement. */
const needed: readonly ResourceInfo[] = [core.pods, core.nodes, core.namespaces, core.services]

/**
 * Reads a cluster once, by lists alone, into an explainer that decides by `config`: on any cluster, whatever schedules
 * there. Throws ApiError where a kind that is needed may not be listed.
 */
export async function offlineExplainer(client: KubeClient, config: SchedulerConfig, logger: Logger): Promise<Explainer> {
  // An informer would ask again for ever.
  for (const resource of needed) await client.list(resource, { limit: 1 })
  const profiles = (snapshot: () => Explainer['snapshot']): Map<string, Profile> =>
    new Map(config.profiles.map((profile) => [profile.schedulerName, makeProfile({ ...profile, gates: config.gates, snapshot })]))
  const explainer = new Explainer({ clock: systemClock, profiles })
  const sink: FeedSink = {
    change(change) {
      try {
        explainer.change(change)
      } catch (error) {
        logger.error(error, 'Failed to take in a change', { type: change.type })
      }
    },
    waiting: (pod) => explainer.waiting(pod),
    settled: (key) => explainer.settled(key),
  }
  const following = new AbortController()
  const informers = createInformers(client, { logger })
  try {
    connectFeed(informers, sink)
    await whenServed(watchedKinds(profiles(() => explainer.snapshot).values()), (resource) => connectKind(informers, resource, sink), { client, clock: systemClock, logger }, following.signal)
    informers.start(following.signal)
    await informers.whenSynced(following.signal)
  } finally {
    following.abort()
  }
  return explainer
}
