import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { rmSync } from 'node:fs'

/** What happens to a request: it goes on, it never gets an answer, or its connection is cut. */
export type Verdict = 'pass' | 'stall' | 'cut'

/** An Engine's socket with somebody in between who can do harm. */
export interface EngineProxy {
  socket: string
  /** Asked before each request is sent on. */
  before: (method: string, path: string) => Verdict | Promise<Verdict>
  /** Told when the Engine has answered, before its answer is sent back. */
  after: (method: string, path: string) => Verdict | Promise<Verdict>
  /** Lets requests that stall go on. */
  release(): void
  close(): Promise<void>
}

export async function startEngineProxy(engineSocket: string, socket: string): Promise<EngineProxy> {
  const sockets = new Set<Socket>()
  let stalled: (() => void)[] = []
  const held = (): Promise<void> => new Promise((resolve) => stalled.push(resolve))
  const decide = async (ask: EngineProxy['before'], incoming: IncomingMessage): Promise<boolean> => {
    const verdict = await ask(incoming.method ?? '', incoming.url ?? '')
    if (verdict === 'stall') await held()
    return verdict !== 'cut'
  }
  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    if (!(await decide(proxy.before, incoming))) return void incoming.socket.destroy()
    const upstream = request({ socketPath: engineSocket, method: incoming.method, path: incoming.url, headers: incoming.headers }, async (answer) => {
      if (!(await decide(proxy.after, incoming))) return void incoming.socket.destroy()
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => outgoing.destroy())
      answer.pipe(outgoing)
      outgoing.flushHeaders()
    })
    upstream.on('error', () => incoming.socket.destroy())
    incoming.on('error', () => upstream.destroy())
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  }
  const server: Server = createServer((incoming, outgoing) => void forward(incoming, outgoing))
  server.on('connection', (client) => {
    sockets.add(client)
    client.on('close', () => sockets.delete(client))
    client.on('error', () => {})
  })
  server.on('upgrade', (incoming, client, head) => {
    void decide(proxy.before, incoming).then((goes) => {
      if (!goes) return void client.destroy()
      const upstream = connect(engineSocket, () => {
        const headers = incoming.rawHeaders.reduce((text, value, index) => text + value + (index % 2 === 0 ? ': ' : '\r\n'), '')
        upstream.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${headers}\r\n`)
        upstream.write(head)
        // What the request carries besides its headers.
        incoming.on('data', (chunk: Buffer) => upstream.write(chunk))
        upstream.pipe(client)
        client.pipe(upstream)
      })
      for (const [one, other] of [[upstream, client], [client, upstream]] as const) {
        one.on('error', () => other.destroy())
        one.on('close', () => other.destroy())
      }
    })
  })
  rmSync(socket, { force: true })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const proxy: EngineProxy = {
    socket,
    before: () => 'pass',
    after: () => 'pass',
    release() {
      for (const go of stalled.splice(0)) go()
    },
    async close() {
      proxy.release()
      stalled = []
      for (const client of sockets) client.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
