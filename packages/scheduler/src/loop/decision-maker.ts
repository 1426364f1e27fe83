import type { Logger } from '@berth/kube'
import type { Cache } from '../cache/cache.ts'
import { decidePlain } from '../cycle/decide.ts'
import { summarize, type Decision } from '../cycle/decision.ts'
import { Engine } from '../engine/index.ts'
import { decideWithExtenders } from '../extenders/decide.ts'
import type { Extender } from '../extenders/extender.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'

/** Decides for one profile on one cache. A promise is an answer that an extender is asked for: the cluster must stand still until it is there. */
export type DecisionMaker = (pod: PodInfo, random: () => number) => Decision | Promise<Decision>

export interface DecisionMakerOptions {
  readonly extenders: readonly Extender[]
  /** Computes everything anew for each pod, as the engine's oracle does: slow, and for comparison alone. */
  readonly plainPath: boolean
  readonly logger: Logger
}

/** By the engine; by the plain path where it is asked for; with the extenders that want to be asked about a pod. */
export function decisionMaker(cache: Cache, profile: Profile, { extenders, plainPath, logger }: DecisionMakerOptions): DecisionMaker {
  const engine = plainPath ? undefined : new Engine(cache, profile)
  return (pod, random) => {
    const interested = extenders.filter((extender) => extender.isInterested(pod))
    if (interested.length > 0) return decideWithExtenders({ pod, profile, snapshot: cache, random, extenders: interested, logger }).then(summarize)
    return engine ? engine.decide(pod, random) : summarize(decidePlain(pod, profile, cache, random))
  }
}
