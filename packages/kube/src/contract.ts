// Signatures of what is still being written; each moves to its own file.
import type { Transport } from './transport/transport.ts'
import type { ComponentServer, ComponentServerOptions } from './component-server/component-server.ts'
import type { Shape } from './config-file/shape.ts'
import type { EventRecorder, EventRecorderOptions } from './events/recorder.ts'
import type { LeaderElectionOptions } from './leader-election/leader-election.ts'
import type { Logger } from './logging/logger.ts'
import type { WorkQueue, WorkQueueOptions } from './queue/work-queue.ts'

export declare function transportFromKubeconfig(path: string | undefined, options?: { context?: string }): Transport
export declare function createWorkQueue<K extends string = string>(options: WorkQueueOptions): WorkQueue<K>
export declare function runWorkers<K extends string>(queue: WorkQueue<K>, count: number, handler: (key: K) => Promise<void>, options: { logger: Logger; signal: AbortSignal }): Promise<void>
export declare function runLeaderElection(options: LeaderElectionOptions): Promise<void>
export declare function createEventRecorder(options: EventRecorderOptions): EventRecorder
export declare function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer>
export declare function readConfigFile<T>(path: string, gvk: { group: string; version: string; kind: string }, shape: Shape): Promise<T>
