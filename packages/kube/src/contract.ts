// Signatures of what is still being written; each moves to its own file.
import type { ResourceInfo } from '@berth/api'
import type { Status } from '@berth/api/types/meta/v1'
import type { Clock } from './clock/clock.ts'
import type { ClientOptions, KubeClient } from './client/client.ts'
import type { ComponentServer, ComponentServerOptions } from './component-server/component-server.ts'
import type { Shape } from './config-file/shape.ts'
import type { EventRecorder, EventRecorderOptions } from './events/recorder.ts'
import type { Informers } from './informers/informer.ts'
import type { LeaderElectionOptions } from './leader-election/leader-election.ts'
import type { Logger } from './logging/logger.ts'
import type { WorkQueue, WorkQueueOptions } from './queue/work-queue.ts'
import type { HttpsTransportOptions, RequestHandler, RequestUser, Transport } from './transport/transport.ts'
import type { MessagePort } from 'node:worker_threads'
import type { ObjectMeta } from '@berth/api/types/meta/v1'

export declare class ApiError extends Error {
  readonly code: number
  readonly reason: string
  readonly status: Status
  readonly retryAfterSeconds?: number
}
export declare class TransportError extends Error {}
export declare function isNotFound(error: unknown): boolean
export declare function isConflict(error: unknown): boolean
export declare function isAlreadyExists(error: unknown): boolean
export declare function isForbidden(error: unknown): boolean
export declare function isGone(error: unknown): boolean
export declare function isInvalid(error: unknown): boolean
export declare function isTooManyRequests(error: unknown): boolean
export declare function isTransient(error: unknown): boolean
export declare function httpsTransport(options: HttpsTransportOptions): Transport
export declare function inProcessTransport(handler: RequestHandler, user: RequestUser): Transport
export declare function messagePortTransport(port: MessagePort): Transport
export declare function serveMessagePort(port: MessagePort, handler: RequestHandler): () => void
export declare function transportFromKubeconfig(path: string | undefined, options?: { context?: string }): Transport
export declare function createClient(transport: Transport, options?: ClientOptions): KubeClient
export declare function createInformers(client: KubeClient, options?: { logger?: Logger; resyncSeconds?: number; clock?: Clock }): Informers
export declare function keyOf(object: { metadata: ObjectMeta } | object): string
export declare function splitKey(key: string): { namespace: string; name: string }
export declare function createWorkQueue<K extends string = string>(options: WorkQueueOptions): WorkQueue<K>
export declare function runWorkers<K extends string>(queue: WorkQueue<K>, count: number, handler: (key: K) => Promise<void>, options: { logger: Logger; signal: AbortSignal }): Promise<void>
export declare function runLeaderElection(options: LeaderElectionOptions): Promise<void>
export declare function createEventRecorder(options: EventRecorderOptions): EventRecorder
export declare function startComponentServer(options: ComponentServerOptions): Promise<ComponentServer>
export declare function readConfigFile<T>(path: string, gvk: { group: string; version: string; kind: string }, shape: Shape): Promise<T>
export declare function resourcePath(resource: ResourceInfo, options?: { namespace?: string; name?: string; subresource?: string }): string
