import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { connectRemoteCommand, type RemoteCommand, type RemoteCommandHandlers, proxyUpgrade, serveAttach, serveExec, exitCodeOf } from '../src/index.ts'

type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

const servers: Server[] = []
const served: Promise<void>[] = []

async function listen(onUpgrade: OnUpgrade): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(404).end())
  server.on('upgrade', onUpgrade)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/exec`
}

const serveCommand = (run: RemoteCommandHandlers['run'], options: Partial<RemoteCommandHandlers['options']> = {}): Promise<string> =>
  listen((request, socket, head) => void served.push(serveExec(request, socket, head, { options: { stdin: true, stdout: true, stderr: true, tty: false, ...options }, run })))

/** Runs a real program as the command. */
const program =
  (argv: string[]): RemoteCommandHandlers['run'] =>
  (streams) =>
    new Promise((resolve, reject) => {
      const [file = '', ...args] = argv
      const child = spawn(file, args, { signal: streams.signal })
      if (streams.stdout) child.stdout.pipe(streams.stdout, { end: false })
      if (streams.stderr) child.stderr.pipe(streams.stderr, { end: false })
      if (streams.stdin) streams.stdin.pipe(child.stdin)
      child.stdin.on('error', () => {})
      child.on('error', reject)
      child.on('close', (code) => resolve({ exitCode: code ?? 137 }))
    })

const all = { stdin: true, stdout: true, stderr: true, tty: false }
const transports = [
  { transport: 'spdy' as const, protocols: ['v4.channel.k8s.io'] },
  { transport: 'websocket' as const, protocols: ['v5.channel.k8s.io'] },
]

const read = async (stream: Readable | undefined): Promise<string> => (stream ? text(stream) : '')

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
  await Promise.all(served.splice(0))
})

describe.each(transports)('a command over $transport', ({ transport, protocols }) => {
  const run = async (url: string, streams = all): Promise<RemoteCommand> => connectRemoteCommand(url, { transport, protocols, streams })

  test('gives its two outputs and its exit code', async () => {
    const url = await serveCommand(program(['sh', '-c', 'echo out; echo err >&2; exit 3']))
    const command = await run(url)
    const [stdout, stderr, status] = await Promise.all([read(command.stdout), read(command.stderr), command.status])
    expect([stdout, stderr, exitCodeOf(status)]).toEqual(['out\n', 'err\n', 3])
    command.close()
  })

  test('reads its standard input to the end that the client gives it', async () => {
    const url = await serveCommand(program(['md5sum']))
    const command = await run(url)
    const data = randomBytes(3_000_000)
    command.stdin?.end(data)
    const [stdout, status] = await Promise.all([read(command.stdout), command.status])
    const direct = spawn('md5sum')
    direct.stdin.end(data)
    expect(stdout).toBe(await text(direct.stdout))
    expect(exitCodeOf(status)).toBe(0)
    command.close()
  })

  test('loses nothing of a large output, and waits for a slow reader instead of holding it in memory', async () => {
    const url = await serveCommand(program(['sh', '-c', 'head -c 40000000 /dev/zero; echo end']))
    const command = await run(url)
    command.stderr?.resume()
    const before = process.memoryUsage().arrayBuffers
    await new Promise((resolve) => setTimeout(resolve, 300))
    const held = process.memoryUsage().arrayBuffers - before
    expect(held).toBeLessThan(16_000_000)
    let size = 0
    for await (const chunk of command.stdout ?? []) size += (chunk as Buffer).length
    expect(size).toBe(40_000_004)
    expect(exitCodeOf(await command.status)).toBe(0)
    command.close()
  })

  test('that fails to start is an internal error with its reason', async () => {
    const url = await serveCommand(() => Promise.reject(new Error('container not running')))
    const command = await run(url)
    expect(await command.status).toMatchObject({ status: 'Failure', reason: 'InternalError', message: 'Internal error occurred: error executing command in container: container not running' })
    command.close()
  })

  test('is told its terminal sizes', async () => {
    const seen = Promise.withResolvers<unknown[]>()
    const url = await serveCommand(
      async ({ onResize }) => {
        const sizes: unknown[] = []
        onResize((size) => {
          sizes.push(size)
          if (sizes.length === 2) seen.resolve(sizes)
        })
        await seen.promise
        return { exitCode: 0 }
      },
      { tty: true },
    )
    const command = await run(url, { ...all, tty: true })
    command.resize({ width: 80, height: 24 })
    command.resize({ width: 132, height: 50 })
    expect(await seen.promise).toEqual([
      { width: 80, height: 24 },
      { width: 132, height: 50 },
    ])
    expect(exitCodeOf(await command.status)).toBe(0)
    command.close()
  })

  test('is told when its client is cut off', async () => {
    const aborted = Promise.withResolvers<void>()
    const url = await serveCommand(async ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      await aborted.promise
      throw new Error('the client has gone')
    })
    const command = await run(url)
    for (const stream of [command.stdin, command.stdout, command.stderr]) stream?.on('error', () => {})
    for (const server of servers) server.closeAllConnections()
    command.close()
    await aborted.promise
  })

  test('goes through a proxy unchanged', async () => {
    const target = await serveCommand(program(['cat']))
    const url = await listen((request, socket, head) => void served.push(proxyUpgrade(request, socket, head, target)))
    const command = await run(url)
    command.stdin?.end('through the proxy')
    expect(await read(command.stdout)).toBe('through the proxy')
    expect(exitCodeOf(await command.status)).toBe(0)
    command.close()
  })

  test('is refused by the words of the target behind a proxy, and by 502 where there is none', async () => {
    const refusing = await listen((request, socket, head) => void served.push(serveExec(request, socket, head, { options: { stdin: false, stdout: false, stderr: false, tty: false }, run: program(['true']) })))
    const url = await listen((request, socket, head) => void served.push(proxyUpgrade(request, socket, head, refusing)))
    await expect(run(url)).rejects.toMatchObject({ status: 400, message: 'you must specify at least 1 of stdin, stdout, stderr' })
    const lost = await listen((request, socket, head) => void served.push(proxyUpgrade(request, socket, head, 'http://127.0.0.1:1/')))
    await expect(run(lost)).rejects.toMatchObject({ status: 502 })
  })

  test('of an unknown protocol is refused with both sides named', async () => {
    const url = await serveCommand(program(['true']))
    await expect(connectRemoteCommand(url, { transport, protocols: ['v9.channel.k8s.io'], streams: all })).rejects.toMatchObject({ status: 403, message: expect.stringContaining('client supports [v9.channel.k8s.io], server accepts [v') })
  })
})

test('over WebSocket v4 an output is given too, though the input cannot be half-closed', async () => {
  const url = await serveCommand(program(['sh', '-c', 'read line; echo "got $line"']))
  const command = await connectRemoteCommand(url, { transport: 'websocket', protocols: ['v4.channel.k8s.io'], streams: all })
  command.stdin?.write('hello\n')
  expect(await read(command.stdout)).toBe('got hello\n')
  expect(exitCodeOf(await command.status)).toBe(0)
  command.close()
})

test('SPDY v2 tells a failure as plain text', async () => {
  const url = await serveCommand(program(['false']))
  const command = await connectRemoteCommand(url, { transport: 'spdy', protocols: ['v2.channel.k8s.io'], streams: all })
  command.stdout?.resume()
  expect(await command.status).toMatchObject({ status: 'Failure', message: 'command terminated with non-zero exit code: exit status 1' })
  command.close()
})

test('attach words its failures as its own', async () => {
  const url = await listen((request, socket, head) => void served.push(serveAttach(request, socket, head, { options: all, run: () => Promise.reject(new Error('gone')) })))
  const command = await connectRemoteCommand(url, { transport: 'websocket', streams: all })
  expect((await command.status).message).toBe('Internal error occurred: error attaching to container: gone')
  command.close()
})

test('a SPDY client that opens no streams is let go after the time for it', async () => {
  const url = await listen((request, socket, head) => void served.push(serveExec(request, socket, head, { options: all, run: program(['true']), creationTimeoutMs: 50 })))
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write('POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n')
  socket.resume()
  await once(socket, 'end')
  await Promise.all(served)
})

describe('hostile bytes', () => {
  const upgrades = {
    spdy: 'POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    websocket: 'GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n',
  }

  test.each(Object.entries(upgrades))('after a %s upgrade end the connection and nothing else', async (_kind, upgrade) => {
    const url = await serveCommand(program(['cat']))
    const { hostname, port } = new URL(url)
    for (let round = 0; round < 60; round++) {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.resume()
      socket.write(upgrade)
      const garbage = randomBytes(1 + Math.floor(Math.random() * 400))
      // Half of the rounds look like a SPDY control frame at first.
      if (round % 2 === 0) Buffer.from([0x80, 3, 0, 1 + (round % 9), round % 4]).copy(garbage)
      socket.end(garbage)
      await once(socket, 'close')
    }
    await Promise.all(served)
    const command = await connectRemoteCommand(url, { transport: 'spdy', streams: all })
    command.stdin?.end('still here')
    expect(await read(command.stdout)).toBe('still here')
    command.close()
  })

  test('instead of an upgrade are a plain refusal', async () => {
    const url = await serveCommand(program(['cat']))
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.write('POST /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400 [\s\S]*unable to upgrade: missing upgrade headers/)
  })
})
