import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { streamEncode } from 'dns-packet'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { serveDatagrams, serveOn } from '../src/server/listeners.ts'
import { exampleCom, question, readAnswers } from './support.ts'

// What would end the agent's process.
const thrown: unknown[] = []
const note = (error: unknown): void => void thrown.push(error)
beforeEach(() => {
  thrown.length = 0
  process.on('uncaughtException', note).on('unhandledRejection', note)
})
afterEach(() => {
  process.off('uncaughtException', note).off('unhandledRejection', note)
  if (thrown.length > 0) throw new AggregateError(thrown, 'the process would have ended')
})
const aMoment = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('a datagram from port 0 is dropped, and one that cannot be sent to does no harm', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  let asked = 0
  serveDatagrams(socket, async (message) => {
    asked++
    return message
  })
  socket.emit('message', Buffer.from('x'), { address: '127.0.0.1', family: 'IPv4', port: 0, size: 1 })
  expect(asked).toBe(0)
  socket.emit('message', Buffer.from('x'), { address: '127.0.0.1', family: 'IPv4', port: 70_000, size: 1 })
  await aMoment()
  const client = createSocket('udp4')
  client.send('hello', socket.address().port, '127.0.0.1')
  expect(String((await once(client, 'message') as [Buffer])[0])).toBe('hello')
  client.close()
  socket.close()
})

test('an answer that is ready after the end, or never, does no harm', async () => {
  const held = Promise.withResolvers<Buffer>()
  const asked = Promise.withResolvers<void>()
  const server = await serveOn({ address: '127.0.0.1', port: 0 }, (message) => {
    if (message.length === 1) return Promise.reject(new Error('a bug'))
    asked.resolve()
    return held.promise
  })
  const client = createSocket('udp4')
  client.send('x', server.port, '127.0.0.1')
  client.send('hello', server.port, '127.0.0.1')
  await asked.promise
  await server.close()
  held.resolve(Buffer.from('late'))
  await aMoment()
  client.close()
})

test('a client may ask many questions at once, end its side, and gets every answer', async () => {
  const server = await serveOn({ address: '127.0.0.1', port: 0 }, async (message, protocol) => {
    await aMoment()
    return exampleCom(message, protocol)
  })
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.end(Buffer.concat(Array.from({ length: 300 }, (_, id) => streamEncode(question('a.example.com', 'A', id)))))
  const answers = await readAnswers(socket, 300)
  expect(new Set(answers.map((answer) => answer.id)).size).toBe(300)
  await server.close()
})
