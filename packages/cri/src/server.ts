import { chmodSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { CriError, statusOf } from './cri-error.ts'
import { socketPath } from './endpoint.ts'
import type { ImageService, RuntimeService } from './generated/services.ts'
import { type Rpc, serviceDefinition } from './services.ts'
import type { CallContext } from './types.ts'

/** What a runtime serves. An RPC that is left out answers Unimplemented, naming itself. */
export type CriImplementation = Partial<RuntimeService> & Partial<ImageService>

/** How a runtime is served. */
export interface ServeCriOptions {
  /** Told of every failed call, after its answer: for logs and metrics. */
  onError?(rpc: string, error: unknown): void
  /** Told of every finished call: seconds it took, and whether it failed. */
  onCall?(rpc: string, seconds: number, failed: boolean): void
}

export interface CriServer {
  /** Stops accepting, lets calls end for `graceMs` (default 2000), cuts the rest, and removes the socket. */
  close(graceMs?: number): Promise<void>
}

type UnaryHandler = (request: object, context: CallContext) => Promise<object>
type StreamHandler = (request: object, context: CallContext) => AsyncIterable<object>
/** Which of the two it is, the RPC's definition says. */
type Handler = (request: object, context: CallContext) => unknown

const maxMessageBytes = 16 * 1024 * 1024

/**
 * Serves CRI v1 on a unix socket that only its owner can open. A socket left behind by a dead process is replaced; one that answers is an error.
 * An implementation throws CriError to choose the gRPC status; anything else becomes Unknown with the error's message.
 */
export async function serveCri(implementation: CriImplementation, endpoint: string, options: ServeCriOptions = {}): Promise<CriServer> {
  const path = socketPath(endpoint)
  await mkdir(dirname(path), { recursive: true })
  if (await answers(path)) throw new Error(`${path} is served by another process`)
  rmSync(path, { force: true })
  const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes, 'grpc.max_send_message_length': maxMessageBytes })
  for (const service of ['RuntimeService', 'ImageService'] as const) {
    const definition = serviceDefinition(service)
    const handlers: UntypedServiceImplementation = {}
    for (const [name, rpc] of Object.entries(definition as Record<string, Rpc>)) {
      const handler = (implementation as Record<string, Handler | undefined>)[name]?.bind(implementation) as Handler | undefined
      handlers[name] = handle(rpc, handler, options)
    }
    server.addService(definition, handlers)
  }
  await bind(server, path)
  return { close: (graceMs = 2000) => close(server, path, graceMs) }
}

function handle(rpc: Rpc, handler: Handler | undefined, options: ServeCriOptions): UntypedHandleCall {
  const finished = (start: number, error?: unknown): void => {
    if (error !== undefined) options.onError?.(rpc.name, error)
    options.onCall?.(rpc.name, (performance.now() - start) / 1000, error !== undefined)
  }
  if (!rpc.responseStream) {
    const unary: handleUnaryCall<object, object> = (call, callback) => {
      const start = performance.now()
      answerUnary(rpc, handler, call).then(
        (answer) => {
          callback(null, answer)
          finished(start)
        },
        (error: unknown) => {
          callback(statusOf(error))
          finished(start, error)
        },
      )
    }
    return unary
  }
  const streaming: handleServerStreamingCall<object, object> = (call) => {
    const start = performance.now()
    answerStream(rpc, handler, call).then(
      () => finished(start),
      (error: unknown) => {
        call.emit('error', statusOf(error))
        finished(start, error)
      },
    )
  }
  return streaming
}

function unimplemented(rpc: Rpc): CriError {
  return new CriError('Unimplemented', `${rpc.name} is not implemented`)
}

function contextOf(call: { getDeadline(): Date | number; on(event: 'cancelled', listener: () => void): unknown }): CallContext {
  const controller = new AbortController()
  call.on('cancelled', () => controller.abort(new CriError('Canceled', 'the caller has gone')))
  const deadline = call.getDeadline()
  const known = deadline instanceof Date || (typeof deadline === 'number' && Number.isFinite(deadline))
  return { signal: controller.signal, deadline: known ? new Date(deadline) : undefined }
}

async function answerUnary(rpc: Rpc, handler: Handler | undefined, call: ServerUnaryCall<object, object>): Promise<object> {
  if (!handler) throw unimplemented(rpc)
  return (handler as UnaryHandler)(call.request, contextOf(call))
}

/** Sends as fast as the caller reads: a message waits until the one before it left. */
async function answerStream(rpc: Rpc, handler: Handler | undefined, call: ServerWritableStream<object, object>): Promise<void> {
  if (!handler) throw unimplemented(rpc)
  const context = contextOf(call)
  for await (const message of (handler as StreamHandler)(call.request, context)) {
    if (context.signal.aborted) return
    if (!call.write(message)) await drained(call, context.signal)
  }
  call.end()
}

function drained(call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    call.on('drain', done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}

/** Binds with a mask under which the socket is its owner's alone from its first moment (a worker thread cannot set the mask, and narrows it just after). */
function bind(server: Server, path: string): Promise<void> {
  const mask = isMainThread ? process.umask(0o077) : undefined
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
      if (mask !== undefined) process.umask(mask)
      if (error) return reject(new Error(`cannot listen on ${path}: ${error.message}`, { cause: error }))
      chmodSync(path, 0o600)
      resolve()
    })
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function close(server: Server, path: string, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), graceMs)
    server.tryShutdown(() => {
      clearTimeout(timer)
      rmSync(path, { force: true })
      resolve()
    })
  })
}
