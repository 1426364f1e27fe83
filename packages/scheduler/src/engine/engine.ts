import type { Cache } from '../cache/cache.ts'
import { decidePlain } from '../cycle/decide.ts'
import { summarize, type Decision } from '../cycle/decision.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'

/** How the engine decides where it is not by default. */
export interface EngineOptions {
  /** Of how many nodes the best one is taken, by the number of all nodes (percentageOfNodesToScore); all, where absent. */
  readonly nodesToFind?: (nodes: number) => number
}

/** Decides for one profile on one cache: the same answers as the plain path. */
export class Engine {
  readonly #cache: Cache
  readonly #profile: Profile

  constructor(cache: Cache, profile: Profile, _options: EngineOptions = {}) {
    this.#cache = cache
    this.#profile = profile
  }

  /** Decides on a pod that is on no node. Nothing is changed; `random` (0 <= random() < 1) chooses among equals. */
  decide(pod: PodInfo, random: () => number): Decision {
    return summarize(decidePlain(pod, this.#profile, this.#cache, random))
  }
}
