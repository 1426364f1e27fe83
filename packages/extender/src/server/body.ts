import type { IncomingMessage } from 'node:http'
import { RequestError, UnavailableError } from '../errors.ts'

/** Reads a request's body, where its length is known into what `allocate` gives. Throws where it is larger than allowed, or does not come in time (milliseconds). */
export function readBody(request: IncomingMessage, maxBytes: number, timeMs: number, allocate: (bytes: number) => Buffer): Promise<Buffer> {
  const tooLarge = (): RequestError => new RequestError(413, `the request is larger than ${maxBytes} bytes`)
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) return Promise.reject(tooLarge())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    // Where its length is known, it is put together as it comes.
    const whole = declared > 0 ? allocate(declared) : undefined
    let size = 0
    const timer = setTimeout(() => {
      request.removeAllListeners('data')
      reject(new UnavailableError('deadline', 'the request did not arrive in time'))
    }, Math.max(0, timeMs))
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) {
        clearTimeout(timer)
        request.removeAllListeners('data')
        reject(tooLarge())
        return
      }
      if (whole) chunk.copy(whole, size - chunk.length)
      else chunks.push(chunk)
    })
    request.on('end', () => {
      clearTimeout(timer)
      resolve(whole?.subarray(0, size) ?? Buffer.concat(chunks, size))
    })
    request.on('error', (error) => {
      clearTimeout(timer)
      reject(new RequestError(400, `the request broke off: ${error.message}`, { cause: error }))
    })
  })
}
