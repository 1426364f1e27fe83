import { TransportError } from '../errors.ts'
import type { RequestHandler, RequestUser, Transport } from './transport.ts'

/** A transport to a handler in the same thread, as `user`: the same requests and authorization as over TLS, without socket and TLS. */
export function inProcessTransport(handler: RequestHandler, user: RequestUser): Transport {
  let closed = false
  return {
    async request(request) {
      if (closed) throw new TransportError('closed', 'the transport is closed')
      if (request.signal?.aborted === true) throw new TransportError('aborted', `${request.method} ${request.path}: aborted`, { cause: request.signal.reason })
      return handler({ ...request, user })
    },
    async close() {
      closed = true
    },
  }
}
