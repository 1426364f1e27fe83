import type { MessagePort } from 'node:worker_threads'
import { TransportError, type TransportFailure } from '../errors.ts'
import { errorText } from '../logging/create-logger.ts'
import type { RequestHandler, Transport, TransportRequest } from './transport.ts'

/** How many chunks of an answer may be on their way unread. */
const window = 32

type ToServer =
  | { kind: 'request'; id: number; method: string; path: string; headers: Record<string, string>; body?: string | Uint8Array }
  | { kind: 'read'; id: number; count: number }
  | { kind: 'cancel'; id: number }

type ToClient =
  | { kind: 'head'; id: number; status: number; headers: Record<string, string> }
  | { kind: 'data'; id: number; chunk: Uint8Array }
  | { kind: 'end'; id: number }
  | { kind: 'error'; id: number; reason: TransportFailure; message: string }

/** What the client holds of one request. */
interface Exchange {
  head(status: number, headers: Record<string, string>): void
  data(chunk: Uint8Array): void
  end(error?: TransportError): void
}

/**
 * The client's end of a transport between threads. Bytes pass; the answer's chunks are asked for as they are read, so a slow reader
 * holds only a few of them; aborting or leaving the body early cancels the request on the other side. Closing closes the port.
 */
export function messagePortTransport(port: MessagePort): Transport {
  const exchanges = new Map<number, Exchange>()
  let nextId = 1
  let closed = false
  const post = (message: ToServer): void => port.postMessage(message)

  port.on('message', (message: ToClient) => {
    const exchange = exchanges.get(message.id)
    if (exchange === undefined) return
    switch (message.kind) {
      case 'head': return exchange.head(message.status, message.headers)
      case 'data': return exchange.data(message.chunk)
      case 'end': return exchange.end()
      case 'error': return exchange.end(new TransportError(message.reason, message.message))
    }
  })
  port.on('close', () => {
    closed = true
    for (const exchange of [...exchanges.values()]) exchange.end(new TransportError('broken', 'the other thread is gone'))
  })

  return {
    request(request) {
      if (closed) return Promise.reject(new TransportError('closed', 'the transport is closed'))
      if (request.signal?.aborted === true) return Promise.reject(abortError(request))
      const id = nextId
      nextId += 1
      return new Promise((resolve, reject) => {
        const chunks: Uint8Array[] = []
        let ended = false
        let failed: TransportError | undefined
        let wake: (() => void) | undefined
        let taken = 0
        const finish = (error?: TransportError): void => {
          if (ended) return
          ended = true
          failed = error
          exchanges.delete(id)
          request.signal?.removeEventListener('abort', abort)
          wake?.()
          if (error !== undefined) reject(error)
        }
        const cancel = (error?: TransportError): void => {
          if (!ended && !closed) post({ kind: 'cancel', id })
          finish(error)
        }
        const abort = (): void => {
          chunks.length = 0
          cancel(abortError(request))
        }
        const iterator: AsyncIterator<Uint8Array> = {
          async next() {
            while (chunks.length === 0 && !ended) await new Promise<void>((done) => { wake = done })
            const chunk = chunks.shift()
            if (chunk === undefined) {
              if (failed !== undefined) throw failed
              return { done: true, value: undefined }
            }
            taken += 1
            if (taken >= window / 2 && !ended) {
              post({ kind: 'read', id, count: taken })
              taken = 0
            }
            return { done: false, value: chunk }
          },
          async return() {
            chunks.length = 0
            cancel()
            return { done: true, value: undefined }
          },
        }
        exchanges.set(id, {
          head: (status, headers) => resolve({ status, headers, body: { [Symbol.asyncIterator]: () => iterator } }),
          data: (chunk) => {
            chunks.push(chunk)
            wake?.()
          },
          end: finish,
        })
        request.signal?.addEventListener('abort', abort, { once: true })
        post({ kind: 'request', id, method: request.method, path: request.path, headers: request.headers ?? {}, ...(request.body === undefined ? {} : { body: typeof request.body === 'string' ? request.body : new Uint8Array(request.body) }) })
      })
    },
    async close() {
      if (closed) return
      closed = true
      for (const exchange of [...exchanges.values()]) exchange.end(new TransportError('closed', 'the transport is closed'))
      port.close()
    },
  }
}

/**
 * Answers what comes over a port with `handler` (which adds the user the other thread acts for). Gives the function that stops:
 * requests that run are cancelled and the port is closed.
 */
export function serveMessagePort(port: MessagePort, handler: RequestHandler): () => void {
  const running = new Map<number, { abort: AbortController; grant(count: number): void }>()
  const post = (message: ToClient, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)

  const answer = async (message: ToServer & { kind: 'request' }): Promise<void> => {
    const { id } = message
    const abort = new AbortController()
    let credit = window
    let wake: (() => void) | undefined
    abort.signal.addEventListener('abort', () => wake?.())
    running.set(id, { abort, grant: (count) => {
      credit += count
      wake?.()
    } })
    try {
      const response = await handler({ method: message.method, path: message.path, headers: message.headers, ...(message.body === undefined ? {} : { body: message.body }), signal: abort.signal })
      if (!abort.signal.aborted) post({ kind: 'head', id, status: response.status, headers: response.headers })
      // A body that has an end of its own is read by `for await`: leaving the loop calls return(), which tells the handler.
      for await (const chunk of response.body) {
        while (credit === 0 && !abort.signal.aborted) await new Promise<void>((done) => { wake = done })
        if (abort.signal.aborted) break
        credit -= 1
        // An exact copy: what is behind a Buffer may be a pool, or bytes that the handler keeps.
        const copy = new Uint8Array(chunk)
        post({ kind: 'data', id, chunk: copy }, [copy.buffer])
      }
      if (!abort.signal.aborted) post({ kind: 'end', id })
    } catch (error) {
      if (!abort.signal.aborted) post({ kind: 'error', id, reason: error instanceof TransportError ? error.reason : 'broken', message: errorText(error) })
    } finally {
      running.delete(id)
    }
  }

  const stop = (): void => {
    for (const { abort } of running.values()) abort.abort()
    running.clear()
  }
  port.on('message', (message: ToServer) => {
    if (message.kind === 'request') void answer(message)
    else if (message.kind === 'read') running.get(message.id)?.grant(message.count)
    else running.get(message.id)?.abort.abort()
  })
  port.on('close', stop)
  return () => {
    stop()
    port.close()
  }
}

function abortError(request: TransportRequest): TransportError {
  return new TransportError('aborted', `${request.method} ${request.path}: aborted`, { cause: request.signal?.reason })
}
