import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { finished } from 'node:stream/promises'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { connectPortForward, proxyUpgrade, servePortForward } from '../src/index.ts'

const servers: (HttpServer | Server)[] = []
const served: Promise<void>[] = []
const upgraded: Duplex[] = []

async function port(server: HttpServer | Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return (server.address() as AddressInfo).port
}

/** A pod whose ports are this machine's. */
async function forwarder(): Promise<string> {
  const server = createHttpServer()
  server.on('upgrade', (request, socket, head) => {
    upgraded.push(socket)
    served.push(
      servePortForward(request, socket, head, {
        pod: 'sandbox',
        uid: 'u1',
        connect: async (target) => {
          const connection = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true })
          await once(connection, 'connect')
          return connection
        },
      }),
    )
  })
  return `http://127.0.0.1:${await port(server)}/portforward`
}

const echo = (): Promise<number> => port(createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket)))

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  }
  for (const socket of upgraded.splice(0)) socket.destroy()
  await Promise.all(served.splice(0))
})

describe.each(['spdy', 'websocket'] as const)('port forwarding over %s', (transport) => {
  test('carries bytes both ways and each direction ends by itself', async () => {
    const target = await echo()
    const client = await connectPortForward(await forwarder(), { transport })
    const { data, error } = await client.forward(target)
    const sent = randomBytes(2_000_000)
    data.end(sent)
    expect((await buffer(data)).equals(sent)).toBe(true)
    expect(await error).toBe('')
    client.close()
  })

  test('carries many connections at once', async () => {
    const target = await echo()
    const client = await connectPortForward(await forwarder(), { transport })
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_value, index) => {
        const { data } = await client.forward(target)
        data.end(`hello ${index}`)
        return text(data)
      }),
    )
    expect(answers).toEqual(Array.from({ length: 50 }, (_value, index) => `hello ${index}`))
    client.close()
  })

  test('tells on the error stream why a port cannot be reached, and goes on', async () => {
    const target = await echo()
    const client = await connectPortForward(await forwarder(), { transport })
    const lost = await client.forward(1)
    lost.data.resume()
    expect(await lost.error).toBe('error forwarding port 1 to pod sandbox, uid u1: connect ECONNREFUSED 127.0.0.1:1')
    const { data } = await client.forward(target)
    data.end('still')
    expect(await text(data)).toBe('still')
    client.close()
  })

  test('ends the connection to the pod when the client goes', async () => {
    const closed = Promise.withResolvers<void>()
    const target = await port(createServer((socket) => socket.on('error', () => {}).on('close', () => closed.resolve()).write('hello')))
    const client = await connectPortForward(await forwarder(), { transport })
    const { data, error } = await client.forward(target)
    data.on('error', () => {})
    await once(data, 'data')
    client.close()
    await closed.promise
    await error
  })

  test('goes through a proxy', async () => {
    const target = await echo()
    const behind = await forwarder()
    const proxy = createHttpServer()
    proxy.on('upgrade', (request, socket, head) => void served.push(proxyUpgrade(request, socket, head, behind)))
    const client = await connectPortForward(`http://127.0.0.1:${await port(proxy)}/`, { transport })
    const { data } = await client.forward(target)
    data.end('through')
    expect(await text(data)).toBe('through')
    client.close()
  })

  test('resets a stream with a port that is none', async () => {
    const client = await connectPortForward(await forwarder(), { transport })
    const { data, error } = await client.forward(70_000)
    expect(await error).toBe('Premature close')
    await finished(data).catch(() => {})
    expect(data.destroyed).toBe(true)
    client.close()
  })
})
