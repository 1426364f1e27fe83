import type { Pod, PodStatus } from '@berth/api/types/core/v1'
import type { Timer } from '@berth/kube'
import { messageOf, MountError } from '../errors.ts'
import { formatPod, podKey } from '../pods/containers.ts'
import type { WorkerContext } from './context.ts'
import { endPod } from './end-pass.ts'
import { gracePeriodOf } from './kill.ts'
import { syncPod } from './sync-pass.ts'

/** What one pod's worker remembers between passes. All of it can be lost: a new kubelet finds it again in the API and the runtime. */
export interface WorkerState {
  pod: Pod
  /** Why containers that should run do not, by name, and since when (ms). */
  failures: Map<string, { reason: string; message: string; at: number }>
  /** `running`: the pod shall run. `terminating`: it is being stopped for good. `ended`: nothing of it runs any more. `finished`: nothing of it is left. */
  phase: 'running' | 'terminating' | 'ended' | 'finished'
  /** Set when the kubelet itself ends the pod. */
  ended?: { reason: string; message: string }
  /** Seconds; only ever shortened. */
  grace?: number
  /** The API has no such pod (any more). */
  gone: boolean
  /** The last status; kept for pods whose containers are removed already. */
  finalStatus?: PodStatus
  started: boolean
}

/** What a pass says about when the next one is due. */
export interface PassResult {
  /** Look again at once: something was changed. */
  again?: boolean
  /** Look again after this many milliseconds. */
  afterMs?: number
}

const firstRetryMs = 1000
const maxRetryMs = 10_000
const firstMountRetryMs = 500
const maxMountRetryMs = 30_000

/**
 * One pod's loop. Passes run one after the other, never two at once; any number of wishes for a pass while one runs come to one more.
 * Every pass reads the world anew, so a lost or doubled wish does no harm.
 */
export class PodWorker {
  readonly state: WorkerState
  readonly #context: WorkerContext
  #wanted = false
  #running = false
  #stopped = false
  #retries = 0
  #timer: Timer | undefined
  #pass = new AbortController()

  constructor(context: WorkerContext, pod: Pod) {
    this.#context = context
    this.state = { pod, failures: new Map(), phase: 'running', gone: false, started: false }
  }

  /** The pod as the API has it now. A deletion, or a shorter grace period, interrupts what is under way. */
  update(pod: Pod): void {
    this.state.pod = pod
    const over = pod.metadata.deletionTimestamp !== undefined || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
    if (over) this.terminate()
    else this.poke()
  }

  /** Ends the pod for good; with a reason when the kubelet decides it. */
  terminate(options: { ended?: { reason: string; message: string }; graceSeconds?: number } = {}): void {
    const { state } = this
    if (options.ended) state.ended ??= options.ended
    const grace = gracePeriodOf(state.pod, state.grace, options.graceSeconds)
    const shorter = state.grace !== undefined && grace < state.grace
    state.grace = grace
    if (state.phase === 'running') {
      state.phase = 'terminating'
      this.#pass.abort()
    } else if (state.phase === 'terminating' && shorter) this.#pass.abort()
    this.#retries = 0
    this.poke()
  }

  /** The API has removed the pod: stop it, and leave nothing behind. */
  goneFromApi(): void {
    this.state.gone = true
    this.terminate()
  }

  /** Asks for a pass. */
  poke(): void {
    this.#wanted = true
    if (!this.#running && !this.#stopped) void this.#run()
  }

  /** Stops looking; what runs goes on running. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#pass.abort()
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (this.#wanted && !this.#stopped && this.state.phase !== 'finished') {
        this.#wanted = false
        this.#timer?.cancel()
        await this.#one()
      }
    } finally {
      this.#running = false
    }
    if (this.state.phase === 'finished') {
      this.#timer?.cancel()
      this.#context.finished(this.state.pod)
    }
  }

  async #one(): Promise<void> {
    const { state } = this
    const context = this.#context
    this.#pass = new AbortController()
    const { signal } = this.#pass
    const began = context.clock.now()
    try {
      const result = state.phase === 'running' ? await syncPod(context, this, signal) : await endPod(context, this, signal)
      this.#retries = 0
      if (result.again) this.#wanted = true
      else this.#later(Math.min(result.afterMs ?? Number.POSITIVE_INFINITY, jittered(context.settings.syncFrequencyMs)))
    } catch (error) {
      if (signal.aborted) {
        // Interrupted by something that wants a pass of its own.
        this.#wanted ||= !this.#stopped
        return
      }
      const [first, max] = error instanceof MountError ? [firstMountRetryMs, maxMountRetryMs] : [firstRetryMs, maxRetryMs]
      const delay = Math.min(first * 2 ** this.#retries++, max)
      context.logger.v(1).info('Error syncing pod, will try again', { pod: podKey(state.pod), podUID: state.pod.metadata.uid, err: messageOf(error), retryMs: delay })
      this.#later(delay)
    } finally {
      context.metrics.workerSeconds.observe({ operation_type: state.phase }, (context.clock.now() - began) / 1000)
    }
  }

  #later(ms: number): void {
    this.#timer?.cancel()
    if (this.#stopped) return
    this.#timer = this.#context.clock.setTimeout(() => this.poke(), ms)
  }

  toString(): string {
    return formatPod(this.state.pod)
  }
}

/** A node's pods shall not all be looked at in the same moment. */
const jittered = (ms: number): number => ms * (1 + Math.random() * 0.5)
