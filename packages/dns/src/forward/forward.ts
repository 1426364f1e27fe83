import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { DnsError } from '../errors.ts'
import type { Upstream } from './resolvers.ts'

export interface ForwarderOptions {
  upstreams: () => Promise<readonly Upstream[]>
  /** Called with how each try ended. */
  observe?: (upstream: Upstream, seconds: number, outcome: 'ok' | 'failed') => void
  timeoutMs?: number
  /** More questions than this at once are refused. */
  maxConcurrent?: number
}

/** Sends queries on to other resolvers, as they are: their flags, EDNS and case, and the answer's, are nobody's business here. */
export class Forwarder {
  readonly #o: ForwarderOptions
  readonly #timeoutMs: number
  readonly #failures = new Map<string, { count: number; until: number }>()
  #running = 0

  constructor(options: ForwarderOptions) {
    this.#o = options
    this.#timeoutMs = options.timeoutMs ?? 2000
  }

  /**
   * Gives the answer's bytes, with the query's id. Asks one resolver after the other, those that failed lately last. Throws DnsError 'Upstream' if none answers, there is
   * none, or too many questions are under way.
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

  async #tryAll(query: Buffer, protocol: 'udp' | 'tcp', upstreams: readonly Upstream[]): Promise<Buffer> {
    let last: unknown
    const healthy = (upstream: Upstream): boolean => (this.#failures.get(nameOf(upstream))?.until ?? 0) <= performance.now()
    for (const upstream of upstreams.toSorted((a, b) => Number(healthy(b)) - Number(healthy(a))).slice(0, 3)) {
      const start = performance.now()
      try {
        const answer = protocol === 'udp' ? await askUdp(query, upstream, this.#timeoutMs) : await askTcp(query, upstream, this.#timeoutMs)
        this.#failures.delete(nameOf(upstream))
        this.#o.observe?.(upstream, (performance.now() - start) / 1000, 'ok')
        return answer
      } catch (error) {
        last = error
        this.#o.observe?.(upstream, (performance.now() - start) / 1000, 'failed')
        const count = (this.#failures.get(nameOf(upstream))?.count ?? 0) + 1
        if (count >= 2) this.#failures.set(nameOf(upstream), { count, until: performance.now() + 5000 })
        else this.#failures.set(nameOf(upstream), { count, until: 0 })
      }
    }
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
  if (bytes.readUInt16BE(4) === 0) return true
  const end = questionEnd(query)
  return bytes.subarray(12, end).equals(query.subarray(12, end))
}

function questionEnd(query: Buffer): number {
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) at += 1 + length
  return at + 5
}

function restored(answer: Buffer, query: Buffer): Buffer {
  answer.writeUInt16BE(query.readUInt16BE(0), 0)
  return answer
}

function askUdp(query: Buffer, upstream: Upstream, timeoutMs: number): Promise<Buffer> {
  const { sent, id } = withNewId(query)
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4')
    const timer = setTimeout(() => finish(() => reject(new DnsError('Upstream', `${nameOf(upstream)}: no answer in ${timeoutMs} ms`))), timeoutMs)
    let finished = false
    function finish(then: () => void): void {
      if (finished) return
      finished = true
      clearTimeout(timer)
      socket.close()
      then()
    }
    socket.on('error', (error) => finish(() => reject(error)))
    // Connected: the kernel drops what others send, and tells at once when nobody listens there.
    socket.connect(upstream.port, upstream.address, () => {
      if (!finished) socket.send(sent)
    })
    socket.on('message', (bytes) => {
      if (isAnswer(bytes, query, id)) finish(() => resolve(restored(bytes, query)))
    })
  })
}

function askTcp(query: Buffer, upstream: Upstream, timeoutMs: number): Promise<Buffer> {
  const { sent, id } = withNewId(query)
  return new Promise((resolve, reject) => {
    const socket = connect(upstream.port, upstream.address)
    const timer = setTimeout(() => fail(new DnsError('Upstream', `${nameOf(upstream)}: no answer in ${timeoutMs} ms`)), timeoutMs)
    let bytes = Buffer.alloc(0)
    function fail(error: Error): void {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    socket.on('connect', () => socket.write(framed(sent)))
    socket.on('error', fail)
    socket.on('close', () => fail(new DnsError('Upstream', `${nameOf(upstream)}: closed the connection`)))
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return
      const answer = bytes.subarray(2, 2 + bytes.readUInt16BE(0))
      if (!isAnswer(answer, query, id)) return fail(new DnsError('Upstream', `${nameOf(upstream)}: answered another question`))
      clearTimeout(timer)
      resolve(restored(answer, query))
      socket.destroy()
    })
  })
}

/** A message as TCP carries it: after its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
