// HTTP/1.1 by hand over TLS: what no well-behaved client would send.
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'

/** What came back on a connection until it closed, or until nothing came for a while. */
export interface RawAnswer {
  /** Every byte, as Latin-1. */
  text: string
  /** Status codes of the answers, in order. */
  statuses: number[]
  closed: boolean
}

/** Opens a TLS connection that speaks HTTP/1.1. */
export function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
      socket.off('error', reject)
      socket.on('error', () => {})
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** Sends bytes and gathers what comes until the server closes, `enough` answers have come, or the deadline (ms) has passed. */
export async function exchange(port: number, bytes: string | Uint8Array, options: { enough?: number, deadlineMs?: number } = {}): Promise<RawAnswer> {
  const socket = await open(port)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const finish = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      const text = Buffer.concat(chunks).toString('latin1')
      resolve({ text, statuses: statusesOf(text), closed })
    }
    const timer = setTimeout(() => finish(false), options.deadlineMs ?? 30_000)
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (statusesOf(Buffer.concat(chunks).toString('latin1')).filter((s) => s !== 100).length >= (options.enough ?? Infinity) && complete(Buffer.concat(chunks).toString('latin1'))) finish(false)
    })
    socket.on('close', () => finish(true))
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })
}

function statusesOf(text: string): number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]))
}

/** Whether the last answer is whole, by its content-length. */
function complete(text: string): boolean {
  const start = text.lastIndexOf('HTTP/1.1 ')
  const end = text.indexOf('\r\n\r\n', start)
  if (end < 0) return false
  const length = /^content-length: (\d+)/im.exec(text.slice(start, end))?.[1]
  return length === undefined ? /^transfer-encoding: chunked/im.test(text.slice(start, end)) && text.endsWith('0\r\n\r\n') : text.length - end - 4 >= Number(length)
}
