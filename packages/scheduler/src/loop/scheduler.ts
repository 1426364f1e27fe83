import type { Pod } from '@berth/api/types/core/v1'
import type { Clock, Informers, KubeClient, Logger, RunningPart } from '@berth/kube'
import type { Change } from '../cache/changes.ts'
import type { SchedulerConfig } from '../config/types.ts'
import { makeProfile, watchedKinds } from '../framework/profile.ts'
import type { DecisionLoop } from './decision-loop.ts'
import { connectFeed, type FeedSink } from './feed.ts'
import { startPolls } from './polls.ts'
import { whenServed } from './served.ts'
import { connectKind } from './watch-kinds.ts'

/** What the edges are made of. */
export interface SchedulerOptions {
  readonly client: KubeClient
  readonly informers: Informers
  readonly config: SchedulerConfig
  readonly loop: DecisionLoop
  readonly logger: Logger
  readonly clock: Clock
  /** Called when the loop has ended: nothing that it does is under way any more. */
  readonly onStopped?: () => Promise<void>
}

/** The scheduler's edges: what the API says goes to the decision loop, which does the rest. */
export class Scheduler implements RunningPart {
  readonly name = 'scheduler'
  readonly loop: DecisionLoop
  readonly #options: SchedulerOptions
  readonly #abort = new AbortController()

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.loop = options.loop
  }

  /** Follows the cluster; resolves when it is known. Nothing is decided before `lead`. */
  async start(): Promise<void> {
    const { informers, client, clock, config, logger, loop } = this.#options
    const { signal } = this.#abort
    const change = (item: Change): void => loop.offer([item])
    const sink: FeedSink = {
      change,
      waiting: (pod: Pod) => loop.offer([{ type: 'waiting', pod }]),
      settled: (key) => loop.offer([{ type: 'settled', key }]),
    }
    // Extenders are sent pods and nodes as they are.
    connectFeed(informers, sink, { whole: config.extenders.length > 0 })
    const profiles = config.profiles.map((profile) => makeProfile({ ...profile, gates: config.gates }))
    await whenServed(watchedKinds(profiles), (resource) => connectKind(informers, resource, sink), { client, clock, logger }, signal)
    for (const [i, { args }] of config.profiles.entries()) startPolls((profiles[i]?.plugins ?? []).map(({ name }) => name), args, change, { client, clock, logger }, signal)
    informers.start(signal)
    await informers.whenSynced(signal)
    loop.offer([{ type: 'synced' }])
    await loop.whenSynced
  }

  /** Decides from now on. To be called only while this scheduler leads. */
  lead(): void {
    this.loop.lead()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.loop.stop()
    await this.#options.onStopped?.()
  }
}
