import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { createCa, issueCertificate } from '../src/certificates/index.ts'

interface Stored {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace: string; resourceVersion: string; uid: string; labels?: Record<string, string> }
}

interface Change {
  version: number
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: Stored
}

/**
 * A small real HTTPS server that serves config maps with versions and watches, and can be told to misbehave: break watches off, forget
 * history (410), refuse. What clients asked is kept in `requests`.
 */
export class SmallApiServer {
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string; peer: string; port: number | undefined }[] = []
  readonly ca: string
  readonly clientCert: { cert: string; key: string }
  /** Answers instead of the server's own, once each, in order. */
  readonly scripted: ((req: IncomingMessage, res: ServerResponse) => void)[] = []
  /** Bytes a watch event is cut into; 0 for whole. */
  cut = 0
  #server: Server
  #objects = new Map<string, Stored>()
  #history: Change[] = []
  #forgotten = 0
  #version = 10
  #watches = new Set<ServerResponse>()

  private constructor(server: Server, ca: string, clientCert: { cert: string; key: string }) {
    this.#server = server
    this.ca = ca
    this.clientCert = clientCert
  }

  static async start(): Promise<SmallApiServer> {
    const ca = await createCa('test-ca')
    const own = await issueCertificate(ca, { commonName: 'server', ipAddresses: ['127.0.0.1'], usages: ['server'] })
    const client = await issueCertificate(ca, { commonName: 'alice', organizations: ['devs'], usages: ['client'] })
    const server = createServer({ cert: own.certificate, key: own.key, ca: ca.certificate, requestCert: true, rejectUnauthorized: false })
    const made = new SmallApiServer(server, ca.certificate, { cert: client.certificate, key: client.key })
    server.on('request', (req, res) => { void made.#serve(req, res) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return made
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return `https://127.0.0.1:${address.port}`
  }

  get watching(): number {
    return this.#watches.size
  }

  /** Creates or changes a config map of namespace `d`. */
  put(name: string, labels: Record<string, string> = {}, uid?: string): void {
    this.#version += 1
    const known = this.#objects.get(name)
    const object: Stored = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'd', uid: uid ?? known?.metadata.uid ?? `u-${name}`, resourceVersion: String(this.#version), labels } }
    this.#objects.set(name, object)
    this.#change({ version: this.#version, type: known === undefined ? 'ADDED' : 'MODIFIED', object })
  }

  remove(name: string): void {
    const known = this.#objects.get(name)
    if (known === undefined) return
    this.#objects.delete(name)
    this.#version += 1
    this.#change({ version: this.#version, type: 'DELETED', object: { ...known, metadata: { ...known.metadata, resourceVersion: String(this.#version) } } })
  }

  bookmark(): void {
    this.#version += 1
    for (const watch of this.#watches) this.#write(watch, { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) } } })
  }

  /** Breaks all watches off inside the stream. */
  breakWatches(): void {
    for (const watch of this.#watches) watch.destroy()
  }

  endWatches(): void {
    for (const watch of this.#watches) watch.end()
  }

  /** Makes every version so far too old to watch from. */
  forget(): void {
    this.#forgotten = this.#version
    this.#history = []
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #change(change: Change): void {
    this.#history.push(change)
    for (const watch of this.#watches) this.#write(watch, { type: change.type, object: change.object })
  }

  #write(res: ServerResponse, event: unknown): void {
    const bytes = Buffer.from(`${JSON.stringify(event)}\n`)
    if (this.cut === 0) res.write(bytes)
    else for (let at = 0; at < bytes.length; at += this.cut) res.write(bytes.subarray(at, at + this.cut))
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of req) body += String(chunk)
    const socket = req.socket as TLSSocket
    this.requests.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body, peer: String(socket.getPeerCertificate().subject?.CN ?? ''), port: socket.remotePort })
    const scripted = this.scripted.shift()
    if (scripted !== undefined) return scripted(req, res)
    const url = new URL(req.url ?? '/', 'https://x')
    if (url.pathname !== '/api/v1/namespaces/d/configmaps' && url.pathname !== '/api/v1/configmaps') return answer(res, 404, status(404, 'NotFound', `${url.pathname} not found`))
    if (url.searchParams.get('watch') !== 'true') {
      const items = [...this.#objects.values()].map(({ metadata }) => ({ metadata }))
      return answer(res, 200, { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version) }, items })
    }
    const from = Number(url.searchParams.get('resourceVersion'))
    res.writeHead(200, { 'content-type': 'application/json' })
    res.flushHeaders()
    if (from < this.#forgotten) {
      this.#write(res, { type: 'ERROR', object: status(410, 'Expired', `too old resource version: ${from} (${this.#forgotten})`) })
      res.end()
      return
    }
    for (const change of this.#history) if (change.version > from) this.#write(res, { type: change.type, object: change.object })
    this.#watches.add(res)
    res.on('close', () => this.#watches.delete(res))
  }
}

export function status(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message }
}

export function answer(res: ServerResponse, code: number, body: object, headers: Record<string, string> = {}): void {
  res.writeHead(code, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify(body))
}

/** Waits until a condition holds; fails with what it was after ten seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const start = Date.now(); !holds();) {
    if (Date.now() - start > 10_000) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
