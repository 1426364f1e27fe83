// A request's body, whole.
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { badRequest, requestEntityTooLarge } from '../errors.ts'

/** The way to read a body of up to `limit` bytes; reading starts with the first call. Rejects with 413 beyond the limit, with 400 when the client leaves before the end (`gone`). */
export function bodyReader(request: IncomingMessage | Http2ServerRequest, limit: number, gone: AbortSignal): () => Promise<Uint8Array> {
  let reading: Promise<Uint8Array> | undefined
  return () => (reading ??= read(request, limit, gone))
}

function read(request: IncomingMessage | Http2ServerRequest, limit: number, gone: AbortSignal): Promise<Uint8Array> {
  const tooLarge = (): Error => requestEntityTooLarge(`limit is ${limit}`)
  // Not by iterating: leaving the loop early would destroy the connection, and with it the answer.
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      reject(tooLarge())
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    const end = (): void => finish()
    const finish = (error?: Error): void => {
      request.off('data', take)
      request.off('end', end)
      request.off('close', cut)
      gone.removeEventListener('abort', cut)
      if (error) {
        request.pause()
        reject(error)
      } else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
    }
    const cut = (): void => finish(badRequest('unexpected EOF'))
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) finish(tooLarge())
      else chunks.push(chunk)
    }
    if (request.readableEnded) {
      finish()
      return
    }
    if (request.destroyed || gone.aborted) {
      cut()
      return
    }
    request.on('data', take)
    request.on('end', end)
    request.on('close', cut)
    // Once it is answered, a request of HTTP/1.1 hears no more of its connection.
    gone.addEventListener('abort', cut)
  })
}
