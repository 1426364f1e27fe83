import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { DnsError } from '../errors.ts'
import { framed } from '../forward/forward.ts'
import type { Upstream } from '../forward/resolvers.ts'

type Respond = (message: Buffer, protocol: 'udp' | 'tcp') => Promise<Buffer | undefined>

/** TCP connections that are served at once, how long one may be silent, and how many of its questions are under way at once. */
const limits = { connections: 512, idleMs: 10_000, pipelined: 64 } as const

/**
 * Serves a responder on an address by UDP and TCP. Throws DnsError naming the address. Gives how to end it and the port (for port 0). Whatever comes in, and whenever: nothing
 * throws out of here.
 */
export async function serveOn(at: Upstream, respond: Respond): Promise<{ port: number; close(): Promise<void> }> {
  const tcp = createServer({ allowHalfOpen: true }, (socket) => serveConnection(socket, respond))
  tcp.maxConnections = limits.connections
  await listening(tcp, at)
  tcp.on('error', () => {}) // e.g. no file descriptor is left for a connection: later ones may do
  const bound = tcp.address()
  const port = bound && typeof bound === 'object' ? bound.port : at.port
  const udp = isIPv6(at.address) ? createSocket({ type: 'udp6', ipv6Only: true }) : createSocket('udp4')
  await bind(udp, { ...at, port }).catch((error: unknown) => {
    tcp.close()
    throw error
  })
  const stopServing = serveDatagrams(udp, respond)
  return {
    port,
    close: () => new Promise((resolve) => {
      stopServing()
      udp.close(() => {
        tcp.close(() => resolve())
        for (const socket of connections.get(tcp) ?? []) socket.destroy()
      })
    }),
  }
}

/** Answers what a socket receives, until the function it gives is called: then answers that are not ready yet are dropped, for the socket may be closed. */
export function serveDatagrams(socket: UdpSocket, respond: Respond): () => void {
  let open = true
  socket.on('error', () => {}) // e.g. a client that is gone (ECONNREFUSED): the next one does not care
  socket.on('message', (message, from) => {
    // Nobody can be answered there, and a send to it throws.
    if (from.port === 0) return
    respond(message, 'udp').then((answer) => {
      if (answer && open) socket.send(answer, from.port, from.address, () => {})
    }).catch(() => {})
  })
  return () => {
    open = false
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
  let pending: Buffer = Buffer.alloc(0)
  let running = 0
  let ended = false
  const answer = async (message: Buffer): Promise<void> => {
    const bytes = await respond(message, 'tcp')
    running--
    if (!bytes) return void socket.destroy()
    // Who does not read its answers is not read either.
    if (socket.writable && !socket.write(framed(bytes))) socket.pause()
    proceed()
  }
  const proceed = (): void => {
    while (running < limits.pipelined && pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const message = pending.subarray(2, 2 + pending.readUInt16BE(0))
      pending = pending.subarray(2 + message.length)
      running++
      answer(message).catch(() => socket.destroy())
    }
    if (running === limits.pipelined) socket.pause()
    else if (!socket.writableNeedDrain) socket.resume()
    if (ended && running === 0) socket.end()
  }
  socket.setTimeout(limits.idleMs, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('drain', proceed)
  socket.on('end', () => {
    ended = true
    proceed()
  })
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    proceed()
  })
}
