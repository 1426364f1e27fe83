// A TCP line between a client and a server that can be cut and mended.
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'

export interface Line {
  /** `http://127.0.0.1:port`, in place of the server's own address. */
  readonly address: string
  /** Ends every connection, and takes none until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** Opens a line to `http://127.0.0.1:port`. */
export async function openLine(to: string): Promise<Line> {
  const { port } = new URL(to)
  const sockets = new Set<Socket>()
  let whole = true
  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((inward) => {
    keep(inward)
    if (!whole) {
      inward.destroy()
      return
    }
    const outward = connect(Number(port), '127.0.0.1')
    keep(outward)
    inward.on('close', () => outward.destroy())
    outward.on('close', () => inward.destroy())
    inward.pipe(outward)
    outward.pipe(inward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      whole = false
      for (const socket of sockets) socket.destroy()
    },
    mend() { whole = true },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
