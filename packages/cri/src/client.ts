import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { criErrorOf } from './cri-error.ts'
import { socketPath } from './endpoint.ts'
import type { ImageServiceClient, RuntimeServiceClient } from './generated/services.ts'
import { type Rpc, serviceDefinition } from './services.ts'
import type { CallOptions } from './types.ts'

/** As large as upstream's clients allow: a list of many images is more than gRPC's default of 4 MiB. */
const maxMessageBytes = 16 * 1024 * 1024

/** Both services of a CRI runtime. Every failed call rejects with a CriError. */
export interface CriClient extends RuntimeServiceClient, ImageServiceClient {
  /** Ends the connection; calls that are under way fail as Canceled. */
  close(): void
}

/** How a client calls. */
export interface CriClientOptions {
  /** Milliseconds after which a call without its own `timeoutMs` fails with DeadlineExceeded (120,000; upstream's runtimeRequestTimeout). Streams have none. */
  timeoutMs?: number
}

/**
 * A client of the runtime at a unix socket. It connects when first used and again after the socket was lost; a call made
 * while nothing listens fails at once with Unavailable.
 */
export function createCriClient(endpoint: string, options: CriClientOptions = {}): CriClient {
  const channel = new Client(`unix:${socketPath(endpoint)}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 3000,
  })
  const defaultTimeout = options.timeoutMs ?? 120_000
  const methods: Record<string, unknown> = { close: () => channel.close() }
  for (const service of ['RuntimeService', 'ImageService'] as const) {
    for (const [name, rpc] of Object.entries(serviceDefinition(service) as Record<string, Rpc>)) {
      methods[name] = rpc.responseStream
        ? (request: object, callOptions: CallOptions = {}) => callStream(channel, rpc, request, callOptions)
        : (request: object, callOptions: CallOptions = {}) => callUnary(channel, rpc, request, { timeoutMs: defaultTimeout, ...callOptions })
    }
  }
  return methods as unknown as CriClient
}

function deadlineOf(options: CallOptions): { deadline?: number } {
  return options.timeoutMs ? { deadline: Date.now() + options.timeoutMs } : {}
}

function callUnary(channel: Client, rpc: Rpc, request: object, options: CallOptions): Promise<object> {
  return new Promise((resolve, reject) => {
    const { signal } = options
    const call = channel.makeUnaryRequest(rpc.path, rpc.requestSerialize, rpc.responseDeserialize, request, new Metadata(), deadlineOf(options), (error, answer) => {
      signal?.removeEventListener('abort', cancel)
      if (error) reject(criErrorOf(error))
      else if (answer) resolve(answer)
    })
    const cancel = (): void => call.cancel()
    if (signal?.aborted) cancel()
    else signal?.addEventListener('abort', cancel, { once: true })
  })
}

async function* callStream(channel: Client, rpc: Rpc, request: object, options: CallOptions): AsyncGenerator<object> {
  const { signal } = options
  const call = channel.makeServerStreamRequest(rpc.path, rpc.requestSerialize, rpc.responseDeserialize, request, new Metadata(), deadlineOf(options))
  const cancel = (): void => call.cancel()
  if (signal?.aborted) cancel()
  else signal?.addEventListener('abort', cancel, { once: true })
  try {
    for await (const message of call) yield message as object
  } catch (error) {
    throw criErrorOf(error)
  } finally {
    signal?.removeEventListener('abort', cancel)
    call.cancel()
  }
}
