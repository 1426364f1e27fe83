// HTTP/2 frames by hand over TLS.
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'

export const frameTypes = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, push: 5, ping: 6, goaway: 7, windowUpdate: 8, continuation: 9 } as const

/** One frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A field line without indexing or Huffman coding (HPACK). */
export function fieldLine(name: string, value: string): Buffer {
  const text = (of: string): Buffer => {
    const bytes = Buffer.from(of, 'latin1')
    if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
    const out = [127]
    let rest = bytes.length - 127
    for (; rest >= 128; rest >>= 7) out.push((rest & 127) | 128)
    return Buffer.concat([Buffer.from([...out, rest]), bytes])
  }
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

/** The field lines of a GET. */
export function getRequest(path: string, token: string): Buffer {
  return Buffer.concat([[':method', 'GET'], [':scheme', 'https'], [':authority', 'x'], [':path', path], ['authorization', `Bearer ${token}`]].map(([name = '', value = '']) => fieldLine(name, value)))
}

/** A connection that has sent its preface and settings; `closed` resolves when the server has ended it. */
export function openHttp2(port: number): Promise<{ socket: TLSSocket, closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      const closed = new Promise<void>((done) => socket.on('close', () => done()))
      socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frameTypes.settings, 0, 0)]))
      resolve({ socket, closed })
    })
    socket.once('error', reject)
  })
}
