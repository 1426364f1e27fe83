import https from 'node:https'
import type { Identity } from './identity.ts'

/** An answer to a request. */
export interface Answer { readonly status: number; readonly body: Buffer }

/** A client that asks as cheaply as it can: HTTP/1.1 with kept connections, nothing decoded. What it costs, it costs all contenders alike. */
export class Load {
  readonly port: number
  readonly #agent: https.Agent
  readonly #identity: Identity

  constructor(port: number, identity: Identity) {
    this.port = port
    this.#identity = identity
    this.#agent = this.#newAgent()
  }

  #newAgent(): https.Agent {
    return new https.Agent({ keepAlive: true, maxSockets: 64, ca: this.#identity.ca, cert: this.#identity.certificate, key: this.#identity.key, servername: 'localhost' })
  }

  /** Asks and reads the whole answer. */
  ask(method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = https.request({
        host: '127.0.0.1', port: this.port, method, path, agent: this.#agent,
        headers: { 'user-agent': 'berth-bench', accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...headers },
      }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) })).on('error', reject)
      })
      request.on('error', reject).end(body)
    })
  }

  /** As `ask`; anything but success is an error. */
  async must(method: string, path: string, body?: string | Buffer, headers: Record<string, string> = {}): Promise<Buffer> {
    const answer = await this.ask(method, path, body, headers)
    if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString().slice(0, 500)}`)
    return answer.body
  }

  /** A watch on a connection of its own; calls back for every piece that comes. Resolves, with the way to end it, once the server has answered. */
  watch(path: string, onData: (chunk: Buffer) => void): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const agent = new https.Agent({ ca: this.#identity.ca, cert: this.#identity.certificate, key: this.#identity.key, servername: 'localhost' })
      const request = https.get({ host: '127.0.0.1', port: this.port, path, agent, headers: { accept: 'application/json', 'user-agent': 'berth-bench' } }, (response) => {
        response.on('data', onData).on('error', () => undefined)
        if (response.statusCode !== 200) reject(new Error(`watch ${path}: ${response.statusCode}`))
        else resolve(() => request.destroy())
      })
      request.on('error', reject)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** What a number of requests came to. */
export interface Pace { readonly perSecond: number; readonly p99Ms: number }

/** Does something for every index, so many at a time. */
export async function pace(count: number, atOnce: number, act: (i: number) => Promise<unknown>): Promise<Pace> {
  const times: number[] = []
  let next = 0
  const started = performance.now()
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) {
      const i = next++
      const begun = performance.now()
      await act(i)
      times.push(performance.now() - begun)
    }
  }))
  const seconds = (performance.now() - started) / 1000
  times.sort((a, b) => a - b)
  return { perSecond: count / seconds, p99Ms: times[Math.floor(times.length * 0.99)] ?? 0 }
}
