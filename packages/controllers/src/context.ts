import type { Clock, EventRecorder, Informers, KubeClient, Logger, WorkQueueObserver } from '@berth/kube'
import type { ControllerSettings } from './config.ts'

/** What every controller is given. A controller reaches the world through this alone. */
export interface ControllerContext {
  readonly client: KubeClient
  readonly informers: Informers
  readonly logger: Logger
  readonly clock: Clock
  readonly settings: ControllerSettings
  /** A recorder of events with `source.component` as upstream names this controller. */
  recorder(component: string): EventRecorder
  /** Makes the observer of a work queue, where metrics are kept. */
  readonly queueObserver?: (name: string) => WorkQueueObserver
  /** Ends everything. */
  readonly signal: AbortSignal
}

/** A controller as the registry lists it. */
export interface Controller {
  /** Upstream's name (`kube-controller-manager --help`, `--controllers`). */
  readonly name: string
  /** Runs only where `--controllers` names it. */
  readonly offByDefault?: true
  /**
   * Starts it; resolves when it is over (the signal aborted and the last key is handled). It asks for its informers before the first await,
   * so that all controllers' informers start together.
   */
  run(context: ControllerContext): Promise<void>
}
