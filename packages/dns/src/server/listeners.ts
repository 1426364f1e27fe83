import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { DnsError } from '../errors.ts'
import { framed } from '../forward/forward.ts'
import type { Upstream } from '../forward/resolvers.ts'

type Respond = (message: Buffer, protocol: 'udp' | 'tcp') => Promise<Buffer | undefined>

/** TCP connections of one client address, and of all, that are served at once. */
const limits = { connections: 512, idleMs: 10_000, pipelined: 64 } as const

/** Serves a responder on an address by UDP and TCP. Throws DnsError naming the address. Gives how to end it and the port (for port 0). */
export async function serveOn(at: Upstream, respond: Respond): Promise<{ port: number; close(): Promise<void> }> {
  const tcp = createServer((socket) => serveConnection(socket, respond))
  tcp.maxConnections = limits.connections
  await listening(tcp, at)
  const bound = tcp.address()
  const port = bound && typeof bound === 'object' ? bound.port : at.port
  const udp = isIPv6(at.address) ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4')
  await bind(udp, { ...at, port }).catch((error: unknown) => {
    tcp.close()
    throw error
  })
  udp.on('error', () => {}) // e.g. a client that is gone (ECONNREFUSED): the next one does not care
  udp.on('message', (message, from) => {
    void respond(message, 'udp').then((answer) => {
      if (answer) udp.send(answer, from.port, from.address, () => {})
    })
  })
  return {
    port,
    close: () => new Promise((resolve) => {
      udp.close(() => {
        tcp.close(() => resolve())
        for (const socket of connections.get(tcp) ?? []) socket.destroy()
      })
    }),
  }
}

const connections = new WeakMap<Server, Set<Socket>>()

function listening(server: Server, at: Upstream): Promise<void> {
  const open = new Set<Socket>()
  connections.set(server, open)
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new DnsError('Listen', `cannot listen on tcp ${at.address}:${at.port}: ${error.message}`, { cause: error })))
    server.listen(at.port, at.address, () => resolve())
  })
}

function bind(socket: UdpSocket, at: Upstream): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => reject(new DnsError('Listen', `cannot listen on udp ${at.address}:${at.port}: ${error.message}`, { cause: error })))
    socket.bind(at.port, at.address, () => resolve())
  })
}

// Messages of one connection are answered side by side, in whatever order they are ready; ids tell which is which.
function serveConnection(socket: Socket, respond: Respond): void {
  let pending = Buffer.alloc(0)
  let running = 0
  socket.setTimeout(limits.idleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('end', () => {
    if (running === 0) socket.end()
  })
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const message = pending.subarray(2, 2 + pending.readUInt16BE(0))
      pending = pending.subarray(2 + message.length)
      if (++running > limits.pipelined) return void socket.destroy()
      void respond(message, 'tcp').then((answer) => {
        running--
        if (answer && socket.writable) socket.write(framed(answer))
        else if (!answer) socket.destroy()
      })
    }
  })
}
