import { TransportError, type Transport, type TransportRequest, type TransportResponse } from '@berth/kube'

/** What befalls a request: it is let through, never arrives, is done but its answer is lost, or is answered by somebody else. */
export type Fault = 'none' | 'lost' | 'answer-lost' | { readonly status: number; readonly reason: string; readonly message: string }

/** Where a watch breaks off: after so many whole events, or in the middle of the next one. */
export interface Cut { readonly events: number; readonly inMiddle: boolean }

/** A connection on which things go wrong, as a test says. */
export interface FaultyTransport extends Transport {
  /** While set, nothing gets through, and what was open is broken off. */
  down: boolean
  /** Asked for each request ('POST /api/v1/…') that is no watch. */
  fault: (request: string) => Fault
  /** Asked for each watch that opens; undefined lets it be. */
  cut: (path: string) => Cut | undefined
  /** How many watches broke off. */
  readonly broken: number
}

const newline = 0x0a

export function faultyTransport(inner: Transport): FaultyTransport {
  const open = new Set<() => void>()
  let down = false
  let broken = 0
  const gone = (): TransportError => new TransportError('unreachable', 'connect ECONNREFUSED')

  /** The stream until it is to break off. */
  async function* breaking(body: AsyncIterable<Uint8Array>, cut: Cut | undefined): AsyncGenerator<Uint8Array> {
    let over!: () => void
    const broke = new Promise<'broke'>((resolve) => { over = () => resolve('broke') })
    open.add(over)
    const iterator = body[Symbol.asyncIterator]()
    let left = cut?.events ?? Infinity
    try {
      for (;;) {
        const next = await Promise.race([iterator.next(), broke])
        if (next === 'broke') throw gone()
        if (next.done) return
        const chunk = next.value
        for (let at = 0, start = 0; at < chunk.length; at++) {
          if (chunk[at] !== newline) continue
          if (left-- > 0) {
            start = at + 1
            continue
          }
          yield chunk.subarray(0, cut?.inMiddle ? start + Math.ceil((at - start) / 2) : start)
          broken++
          throw gone()
        }
        yield chunk
      }
    } finally {
      open.delete(over)
      // The server's end is told; a stream that never ends would keep this waiting.
      void iterator.return?.()
    }
  }

  const transport: FaultyTransport = {
    get down() { return down },
    set down(value) {
      down = value
      if (value) for (const over of [...open]) over()
    },
    get broken() { return broken },
    fault: () => 'none',
    cut: () => undefined,
    async request(request: TransportRequest): Promise<TransportResponse> {
      if (down) throw gone()
      if (/[?&]watch=/.test(request.path)) {
        const response = await inner.request(request)
        return response.status === 200 ? { ...response, body: breaking(response.body, transport.cut(request.path)) } : response
      }
      const fault = transport.fault(`${request.method} ${request.path}`)
      if (fault === 'lost') throw gone()
      if (typeof fault === 'object') {
        const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: fault.message, reason: fault.reason, code: fault.status }
        return { status: fault.status, headers: { 'content-type': 'application/json' }, body: (async function* body() { yield Buffer.from(JSON.stringify(status)) })() }
      }
      const response = await inner.request(request)
      if (fault === 'none' && !down) return response
      for await (const chunk of response.body) void chunk
      throw gone()
    },
    close: () => inner.close(),
  }
  return transport
}
