import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { dialInNamespace } from '../src/index.ts'
import { isRoot, makeNamespace, removeNamespaces } from './namespaces.ts'

// stream/consumers would destroy the duplex at the end of its readable side.
function everything(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject).on('end', () => resolve(Buffer.concat(chunks).toString()))
  })
}

async function listen(server: Server, host: string): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  if (!address || typeof address === 'string') throw new Error('no port')
  return address.port
}

describe('dial', () => {
  let server: Server | undefined
  afterEach(() => {
    server?.close()
    removeNamespaces()
  })

  test('carries bytes both ways, each direction with its own end', async () => {
    // The server answers only after our end: without half close this would hang.
    server = createServer({ allowHalfOpen: true }, (socket) => {
      void everything(socket).then((all) => socket.end(`got ${all.length}`))
    })
    const stream = dialInNamespace('-', 'localhost', await listen(server, '127.0.0.1'))
    stream.end(Buffer.alloc(300_000, 'x'))
    expect(await everything(stream)).toBe('got 300000')
  })

  test('passes the end of the peer on while our direction is still open', async () => {
    const got: string[] = []
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.end('early')
      socket.on('data', (chunk) => got.push(String(chunk)))
    })
    const stream = dialInNamespace('-', '127.0.0.1', await listen(server, '127.0.0.1'))
    expect(await everything(stream)).toBe('early')
    stream.end('late')
    await expect.poll(() => got.join('')).toBe('late')
  })

  test('localhost falls back to ::1', async () => {
    server = createServer((socket) => socket.end('six'))
    const stream = dialInNamespace('-', 'localhost', await listen(server, '::1'))
    stream.end()
    expect(await everything(stream)).toBe('six')
  })

  test('a refused connection is an error with exit code 4', async () => {
    const stream = dialInNamespace('-', '127.0.0.1', 1)
    await expect(everything(stream)).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining('connect 127.0.0.1:1: Connection refused') })
  })

  test.skipIf(!isRoot)('connects inside the namespace, where the outside server is not', async () => {
    server = createServer((socket) => socket.end('outside'))
    const port = await listen(server, '127.0.0.1')
    await expect(everything(dialInNamespace(makeNamespace('pod'), '127.0.0.1', port))).rejects.toMatchObject({ exitCode: 4 })
    await expect(everything(dialInNamespace('/run/netns/absent', '127.0.0.1', port))).rejects.toMatchObject({ exitCode: 3 })
  })

  test('a name that would need DNS is refused', async () => {
    await expect(everything(dialInNamespace('-', 'example.org', 80))).rejects.toMatchObject({ exitCode: 2 })
  })
})
