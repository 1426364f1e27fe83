// Answers onto the wire: through Node's servers, or by hand onto a socket that an upgrade has taken from them.
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { constants } from 'node:http2'
import { STATUS_CODES } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import { gzip } from 'node:zlib'
import { promisify } from 'node:util'
import type { ApiResponse } from '../interfaces.ts'

const gzipBytes = promisify(gzip)
/** Upstream compresses answers from this size on. */
const gzipThreshold = 128 * 1024
const gzipLevel = 1
/** So much of a body that nobody wanted is read to keep a connection; a longer one ends it, as in Go. */
const discardedBytes = 256 * 1024
/** How long the rest of such a body is waited for, so that the client reads the answer before its connection ends. */
const lingerMs = 500
/** A client that takes nothing of a finished answer for so long is cut off. */
export const stalledMs = 60_000

/** Sends an answer; resolves when it has been handed to the system. Rejects where the client is gone. */
export async function send(request: Http2ServerRequest, response: Http2ServerResponse, answer: ApiResponse): Promise<void> {
  const { body } = answer
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
  const unread = !request.complete && hasBody(request)
  const overlong = unread && request.httpVersionMajor === 1 && !(Number(request.headers['content-length']) <= discardedBytes)
  if (overlong) response.setHeader('connection', 'close')
  if (typeof body === 'string' || body instanceof Uint8Array) {
    await sendWhole(request, response, answer.status, typeof body === 'string' ? Buffer.from(body) : body, unread)
    return
  }
  answer.whenCut?.(() => destroy(response))
  if (unread) request.resume()
  const out = begin(response, answer.status)
  // HTTP/1.1 holds the head back until the first chunk; HTTP/2 has sent it.
  if ('flushHeaders' in out && typeof out.flushHeaders === 'function') out.flushHeaders()
  for await (const chunk of body) {
    if (out.destroyed || out.writableEnded) break
    if (!out.write(chunk)) await drained(out)
  }
  response.setTimeout(stalledMs, () => destroy(response))
  out.end()
}

/**
 * Sends the head; gives what takes the body. In HTTP/2 that is the stream itself: Node's compatibility layer holds every answer's end back for trailers,
 * and the whole process ends where the stream is gone by then. Throws where it is gone already.
 */
function begin(response: Http2ServerResponse, status: number): Writable {
  const { stream } = response
  if (stream?.respond === undefined) {
    response.writeHead(status)
    return response as unknown as Writable
  }
  stream.respond({ ...response.getHeaders(), ':status': status })
  return stream
}

async function sendWhole(request: Http2ServerRequest, response: Http2ServerResponse, status: number, plain: Uint8Array, unread: boolean): Promise<void> {
  let bytes = plain
  const acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  if (acceptsGzip && bytes.length >= gzipThreshold && response.getHeader('content-encoding') === undefined) {
    bytes = await gzipBytes(bytes, { level: gzipLevel })
    response.setHeader('content-encoding', 'gzip')
    response.setHeader('vary', 'Accept-Encoding')
  }
  if (status !== 304 && status !== 204) response.setHeader('content-length', bytes.length)
  const out = begin(response, status)
  if (bytes.length >= gzipThreshold) response.setTimeout(stalledMs, () => destroy(response))
  if (unread) {
    if (request.method !== 'HEAD') out.write(bytes)
    await discard(request)
    out.end()
    // The client need not send the rest, if there is one.
    if (!request.complete) response.stream?.close?.(constants.NGHTTP2_NO_ERROR)
    return
  }
  if (request.method === 'HEAD') out.end()
  else out.end(bytes)
}

function hasBody(request: Http2ServerRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  return request.httpVersionMajor > 1 ? !request.stream.endAfterHeaders : encoding !== undefined || (length !== undefined && length !== '0')
}

/** Reads on for a moment, so that neither a connection is lost for a few bytes nor many are taken for nothing. */
function discard(request: Http2ServerRequest): Promise<void> {
  return new Promise((resolve) => {
    let left = discardedBytes
    const finish = (): void => {
      clearTimeout(timer)
      request.off('data', take)
      resolve()
    }
    const take = (chunk: Buffer): void => {
      left -= chunk.length
      if (left < 0) finish()
    }
    const timer = setTimeout(finish, lingerMs)
    request.on('data', take)
    for (const event of ['end', 'close', 'aborted', 'error']) request.once(event, finish)
    request.resume()
  })
}

function destroy(response: Http2ServerResponse): void {
  if (response.stream?.close) response.stream.close(constants.NGHTTP2_CANCEL)
  else response.destroy()
}

/** Resolves when a stream takes more, or never will. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}

/** An answer to an upgrade that was refused or is none of ours: written by hand, since the socket is no longer the HTTP server's. */
export async function writeRaw(socket: Duplex, answer: ApiResponse): Promise<void> {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`]
  for (const [name, value] of Object.entries(answer.headers)) for (const v of [value].flat()) lines.push(`${name}: ${v}`)
  if (typeof answer.body === 'string' || answer.body instanceof Uint8Array) {
    const bytes = Buffer.from(answer.body)
    socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\ncontent-length: ${bytes.length}\r\nconnection: close\r\n\r\n`, 'latin1'), bytes]))
    return
  }
  answer.whenCut?.(() => socket.destroy())
  socket.write(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`, 'latin1')
  for await (const chunk of answer.body) {
    if (socket.destroyed) break
    if (!socket.write(chunk)) await drained(socket)
  }
  socket.end()
}
