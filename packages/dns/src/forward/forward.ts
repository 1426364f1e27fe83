import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { setMaxListeners } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import { DnsError } from '../errors.ts'
import { skipName } from '../wire/names.ts'
import { rcodeName, rcodes } from '../wire/records.ts'
import type { Upstream } from './resolvers.ts'

export interface ForwarderOptions {
  upstreams: () => Promise<readonly Upstream[]>
  /** Called with how each try ended: the answer's code, SERVFAIL where there was none. */
  observe?: (upstream: Upstream, seconds: number, rcode: string) => void
  timeoutMs?: number
  /** More questions than this at once are refused. */
  maxConcurrent?: number
}

/** Answers after which another resolver may know better, as the C library sees it. */
const unhelpful: ReadonlySet<number> = new Set([rcodes.SERVFAIL, rcodes.NOTIMP, rcodes.REFUSED])

/** Sends queries on to other resolvers, as they are: their flags, EDNS and case, and the answer's, are nobody's business here. */
export class Forwarder {
  readonly #o: ForwarderOptions
  readonly #timeoutMs: number
  readonly #failures = new Map<string, { count: number; until: number }>()
  readonly #closed = new AbortController()
  #running = 0

  constructor(options: ForwarderOptions) {
    this.#o = options
    this.#timeoutMs = options.timeoutMs ?? 2000
    // Each question under way listens for the end.
    setMaxListeners(0, this.#closed.signal)
  }

  /**
   * Gives the answer's bytes, with the query's id. Asks one resolver after the other, those that failed lately last, until one has an answer that is neither SERVFAIL,
   * REFUSED nor NOTIMP; where none has, such an answer is given. Throws DnsError 'Upstream' if none answers, there is none, or too many questions are under way.
   */
  async forward(query: Buffer, protocol: 'udp' | 'tcp'): Promise<Buffer> {
    const upstreams = await this.#o.upstreams()
    if (upstreams.length === 0) throw new DnsError('Upstream', 'there is no upstream resolver')
    if (this.#running >= (this.#o.maxConcurrent ?? 1000)) throw new DnsError('Upstream', 'too many questions to upstream resolvers at once')
    this.#running++
    try {
      return await this.#tryAll(query, protocol, upstreams)
    } finally {
      this.#running--
    }
  }

  /** Gives up what is under way; it fails with DnsError 'Upstream'. */
  close(): void {
    this.#closed.abort()
  }

  async #tryAll(query: Buffer, protocol: 'udp' | 'tcp', upstreams: readonly Upstream[]): Promise<Buffer> {
    let last: unknown
    let poor: Buffer | undefined
    const healthy = (upstream: Upstream): boolean => (this.#failures.get(nameOf(upstream))?.until ?? 0) <= performance.now()
    for (const upstream of upstreams.toSorted((a, b) => Number(healthy(b)) - Number(healthy(a))).slice(0, 3)) {
      if (this.#closed.signal.aborted) break
      const start = performance.now()
      try {
        const answer = await (protocol === 'udp' ? askUdp : askTcp)(query, upstream, this.#timeoutMs, this.#closed.signal)
        // An answer of any kind says that the resolver is well: SERVFAIL may be about the name.
        this.#failures.delete(nameOf(upstream))
        const rcode = (answer[3] ?? 0) & 15
        this.#o.observe?.(upstream, (performance.now() - start) / 1000, rcodeName(rcode))
        if (!unhelpful.has(rcode)) return answer
        poor ??= answer
      } catch (error) {
        last = error
        this.#o.observe?.(upstream, (performance.now() - start) / 1000, 'SERVFAIL')
        const count = (this.#failures.get(nameOf(upstream))?.count ?? 0) + 1
        this.#failures.set(nameOf(upstream), { count, until: count >= 2 ? performance.now() + 5000 : 0 })
      }
    }
    if (poor) return poor
    throw new DnsError('Upstream', `no upstream resolver answered: ${last instanceof Error ? last.message : String(last)}`, { cause: last })
  }
}

function nameOf({ address, port }: Upstream): string {
  return `${address}#${port}`
}

// An id and a source port of its own for each question: who wants to forge an answer has to guess both.
function withNewId(query: Buffer): { sent: Buffer; id: number } {
  const sent = Buffer.from(query)
  const id = randomInt(65536)
  sent.writeUInt16BE(id, 0)
  return { sent, id }
}

/** Whether bytes are the answer to this query: an answer, the id, the same question (case and all). */
function isAnswer(bytes: Buffer, query: Buffer, id: number): boolean {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id || ((bytes[2] ?? 0) & 0x80) === 0) return false
  // Some answer errors without repeating the question.
  if (bytes.readUInt16BE(4) === 0 && ((bytes[3] ?? 0) & 15) !== 0) return true
  const end = skipName(query, 12) + 4
  return bytes.subarray(12, end).equals(query.subarray(12, end))
}

function restored(answer: Buffer, query: Buffer): Buffer {
  answer.writeUInt16BE(query.readUInt16BE(0), 0)
  return answer
}

type Ask = (query: Buffer, upstream: Upstream, timeoutMs: number, closed: AbortSignal) => Promise<Buffer>

const askUdp: Ask = (query, upstream, timeoutMs, closed) => {
  const { sent, id } = withNewId(query)
  const socket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = attempt(upstream, timeoutMs, closed, () => socket.close())
  socket.on('error', reject)
  socket.on('message', (bytes) => {
    if (isAnswer(bytes, query, id)) resolve(restored(bytes, query))
  })
  // Connected: the kernel drops what others send, and tells at once when nobody listens there.
  socket.on('connect', () => {
    try {
      socket.send(sent)
    } catch (error) {
      reject(error as Error) // it was closed in between
    }
  })
  socket.connect(upstream.port, upstream.address)
  return promise
}

const askTcp: Ask = (query, upstream, timeoutMs, closed) => {
  const { sent, id } = withNewId(query)
  const socket = connect(upstream.port, upstream.address)
  const { promise, resolve, reject } = attempt(upstream, timeoutMs, closed, () => socket.destroy())
  let bytes = Buffer.alloc(0)
  socket.on('connect', () => socket.write(framed(sent)))
  socket.on('error', reject)
  socket.on('close', () => reject(new DnsError('Upstream', `${nameOf(upstream)}: closed the connection`)))
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return
    const answer = bytes.subarray(2, 2 + bytes.readUInt16BE(0))
    if (isAnswer(answer, query, id)) resolve(restored(answer, query))
    else reject(new DnsError('Upstream', `${nameOf(upstream)}: answered another question`))
  })
  return promise
}

/** A promise that fails after a while and at the end, and cleans up, once, however it ends. */
function attempt(upstream: Upstream, timeoutMs: number, closed: AbortSignal, cleanUp: () => void): { promise: Promise<Buffer>; resolve: (answer: Buffer) => void; reject: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  let over = false
  const end = (then: () => void): void => {
    if (over) return
    over = true
    clearTimeout(timer)
    closed.removeEventListener('abort', onClosed)
    cleanUp()
    then()
  }
  const fail = (why: string): void => end(() => reject(new DnsError('Upstream', `${nameOf(upstream)}: ${why}`)))
  const onClosed = (): void => fail('this server stops')
  const timer = setTimeout(() => fail(`no answer in ${timeoutMs} ms`), timeoutMs)
  closed.addEventListener('abort', onClosed)
  return { promise, resolve: (answer) => end(() => resolve(answer)), reject: (error) => end(() => reject(error)) }
}

/** A message as TCP carries it: after its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
