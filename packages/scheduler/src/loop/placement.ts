import { errorText } from '@berth/kube'
import type { CycleState } from '../framework/cycle-state.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Profile } from '../framework/profile.ts'
import type { Status } from '../framework/status.ts'
import type { WaitingPod } from '../queue/scheduling-queue.ts'

/** How long the points of the framework take, by the plugins' names and all together. */
export interface PointTimer {
  plugin<T>(point: string, plugin: string, run: () => T): T
  point<T>(point: string, profile: string, run: () => T): T
}

/** A pod that has been given a node, on its way to being bound there. */
export class Placement {
  readonly waiting: WaitingPod
  readonly info: PodInfo
  readonly profile: Profile
  readonly node: string
  readonly state: CycleState
  /** performance.now() at the beginning of the cycle. */
  readonly started: number
  /** Ends what goes on beside the loop: the pod is gone, or has to give way. */
  readonly abort = new AbortController()
  /** What permit plugins want the pod to wait; milliseconds. */
  waits: ReadonlyMap<string, number> = new Map()
  /** Whether preBind is at work: until it is done the pod can still give way. */
  isPreparing = false

  constructor(waiting: WaitingPod, profile: Profile, node: string, state: CycleState, started: number) {
    this.waiting = waiting
    this.info = waiting.info
    this.profile = profile
    this.node = node
    this.state = state
    this.started = started
  }

  get key(): string {
    return this.info.key
  }

  /** Lets the plugins take what they need beside the node. A status is a rejection: `undo` is to be called. */
  reserve(time: PointTimer): Status | undefined {
    return time.point('Reserve', this.profile.schedulerName, () => this.#first('Reserve', this.profile.points.reserve, time, (plugin) => plugin.reserve?.(this.state, this.info, this.node)))
  }

  /** Asks for leave to bind. A status is a rejection; what is to be waited for is in `waits`. */
  permit(time: PointTimer): Status | undefined {
    const waits = new Map<string, number>()
    const status = time.point('Permit', this.profile.schedulerName, () => this.#first('Permit', this.profile.points.permit, time, (plugin) => {
      const result = plugin.permit?.(this.state, this.info, this.node)
      if (!result?.status && result?.waitMs !== undefined) waits.set(plugin.name, result.waitMs)
      return result?.status
    }))
    if (!status) this.waits = waits
    return status
  }

  /** Gives back what the plugins took, the last one's first. */
  unreserve(): void {
    for (const plugin of [...this.profile.points.reserve].reverse()) plugin.unreserve?.(this.state, this.info, this.node)
  }

  /** Whether anything is to be done to the API before the pod can be bound. */
  get needsPreBind(): boolean {
    return this.profile.points.preBind.some((plugin) => plugin.preBindSkips?.(this.state, this.info, this.node) !== true)
  }

  async preBind(time: PointTimer): Promise<Status | undefined> {
    for (const plugin of this.profile.points.preBind) {
      if (plugin.preBindSkips?.(this.state, this.info, this.node)) continue
      const status = await time.plugin('PreBind', plugin.name, async () => plugin.preBind?.(this.state, this.info, this.node, this.abort.signal))
      if (status) return { ...status, plugin: plugin.name }
    }
    return undefined
  }

  /** Binds by the first plugin that does not leave it to the next. */
  async bind(time: PointTimer): Promise<void> {
    for (const plugin of this.profile.points.bind) {
      const status = await time.plugin('Bind', plugin.name, async () => plugin.bind?.(this.info, this.node, this.abort.signal)).catch((error: unknown) => {
        throw new Error(`running Bind plugin ${JSON.stringify(plugin.name)}: ${errorText(error)}`, { cause: error })
      })
      if (!status) return
      if (status.code !== 'Skip') throw new Error(`running Bind plugin ${JSON.stringify(plugin.name)}: ${status.reasons.join(', ')}`)
    }
    throw new Error('bind failed: no bind plugin took the pod')
  }

  postBind(time: PointTimer): void {
    time.point('PostBind', this.profile.schedulerName, () => {
      for (const plugin of this.profile.points.postBind) time.plugin('PostBind', plugin.name, () => plugin.postBind?.(this.state, this.info, this.node))
    })
  }

  #first(point: string, plugins: readonly Plugin[], time: PointTimer, ask: (plugin: Plugin) => Status | undefined): Status | undefined {
    for (const plugin of plugins) {
      const status = time.plugin(point, plugin.name, () => ask(plugin))
      if (status) return { ...status, plugin: plugin.name }
    }
    return undefined
  }
}
