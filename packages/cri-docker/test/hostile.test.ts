import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

/** The same bytes for the same seed. */
function bytesOf(seed: number, length: number): Buffer {
  let state = (seed + 1) * 2_654_435_761
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    }),
  )
}

/** Sends bytes and gives how many came back before the connection ended, at the latest after a moment. */
function throwAt(target: { path: string } | { host: string; port: number }, bytes: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const socket: Socket = connect(target)
    let received = 0
    const timer = setTimeout(() => socket.destroy(), 300)
    socket.on('data', (chunk) => (received += chunk.length))
    socket.on('error', () => {})
    socket.on('close', () => (clearTimeout(timer), resolve(received)))
    socket.write(bytes)
  })
}

describe.skipIf(missing !== '')(`hostile input${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let pod: Awaited<ReturnType<typeof runPod>>
  let containerId: string
  beforeAll(async () => {
    shim = await startShim()
    pod = await runPod(shim)
    containerId = await runShell(shim, pod, 'sleep 100000')
  })
  afterAll(() => shim.stop())

  const socketPath = (): string => join(shim.engine.directory, 'cri.sock')
  const stillServes = async (): Promise<void> => {
    expect((await shim.client.listPodSandbox({})).items.map(({ id }) => id)).toContain(pod.id)
    expect(Buffer.from((await shim.client.execSync({ containerId, cmd: ['echo', 'here'] })).stdout).toString()).toBe('here\n')
  }

  test('the socket is root’s alone', () => {
    const { mode, uid } = statSync(socketPath())
    expect([mode & 0o777, uid]).toEqual([0o600, 0])
  })

  test('bytes that are no HTTP/2 end their connection and nothing else', async () => {
    await Promise.all(Array.from({ length: 40 }, (_value, seed) => throwAt({ path: socketPath() }, bytesOf(seed, 20 + seed * 50))))
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    await Promise.all(Array.from({ length: 40 }, (_value, seed) => throwAt({ path: socketPath() }, Buffer.concat([preface, bytesOf(seed, 200)]))))
    await stillServes()
  })

  test('messages that are no protobuf are refused, whatever they say', async () => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socketPath()) })
    session.on('error', () => {})
    const call = (method: string, payload: Buffer): Promise<string> =>
      new Promise((resolve) => {
        const stream = session.request({ ':method': 'POST', ':path': `/runtime.v1.RuntimeService/${method}`, 'content-type': 'application/grpc', te: 'trailers' })
        let status = ''
        stream.on('response', (headers) => (status = String(headers['grpc-status'] ?? status)))
        stream.on('trailers', (headers) => (status = String(headers['grpc-status'] ?? status)))
        stream.on('error', () => {})
        stream.on('close', () => resolve(status))
        stream.on('data', () => {})
        const frame = Buffer.alloc(5)
        frame.writeUInt32BE(payload.length, 1)
        stream.end(Buffer.concat([frame, payload]))
      })
    const methods = ['RunPodSandbox', 'CreateContainer', 'StartContainer', 'ListContainers', 'ExecSync', 'UpdateContainerResources', 'PodSandboxStatus', 'PortForward']
    const statuses = await Promise.all(methods.flatMap((method) => Array.from({ length: 25 }, (_value, seed) => call(method, bytesOf(seed, 1 + seed * 7)))))
    // Random bytes can be a message by chance; none of them may be done.
    expect(statuses.filter((status) => status === '')).toEqual([])
    session.close()
    expect((await shim.client.listContainers({})).containers.map(({ id }) => id)).toEqual([containerId])
    await stillServes()
  })

  test('the streaming server takes no request without a URL of its own, and bytes that are no SPDY or WebSocket end their stream', async () => {
    const urlOf = async (): Promise<URL> => new URL((await shim.client.exec({ containerId, cmd: ['cat'], stdin: true, stdout: true })).url)
    const { hostname: host, port } = await urlOf()
    const target = { host, port: Number(port) }
    expect((await fetch(`http://${host}:${port}/exec/nothing`)).status).toBe(426)
    await Promise.all(Array.from({ length: 20 }, (_value, seed) => throwAt(target, bytesOf(seed, 500))))
    for (const upgrade of ['SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io', 'websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v4.channel.k8s.io']) {
      for (let seed = 0; seed < 8; seed++) {
        const { pathname } = await urlOf()
        const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`)
        expect(await throwAt(target, Buffer.concat([request, bytesOf(seed, 300)]))).toBeGreaterThan(0)
      }
    }
    await stillServes()
    await until(async () => Buffer.from((await shim.client.execSync({ containerId, cmd: ['sh', '-c', 'ps | grep -c "[ ]cat$" || true'] })).stdout).toString().trim() === '0', 'no command of a cut stream runs on')
  })

  test('clients that cut their calls and streams leave the shim as it was', async () => {
    const controllers = Array.from({ length: 30 }, () => new AbortController())
    const calls = controllers.map(({ signal }, index) => (index % 2 === 0 ? shim.client.execSync({ containerId, cmd: ['sleep', '31418'] }, { signal }) : readEvents(signal)).catch(() => 'cut'))
    await until(async () => Buffer.from((await shim.client.execSync({ containerId, cmd: ['sh', '-c', 'ps | grep -c "sleep 3141[8]" || true'] })).stdout).toString().trim() !== '0', 'commands run')
    for (const controller of controllers) controller.abort()
    expect(await Promise.all(calls)).toEqual(calls.map(() => 'cut'))
    await until(async () => Buffer.from((await shim.client.execSync({ containerId, cmd: ['sh', '-c', 'ps | grep -c "sleep 3141[8]" || true'] })).stdout).toString().trim() === '0', 'no command runs on')
    await stillServes()
  })

  async function readEvents(signal: AbortSignal): Promise<string> {
    for await (const _event of shim.client.getContainerEvents({}, { signal })) continue
    return 'cut'
  }
})
