import { text } from 'node:stream/consumers'
import { connectPortForward, connectRemoteCommand, exitCodeOf } from '@berth/streaming'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

describe.skipIf(missing !== '')(`exec, attach and port-forward${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let pod: Awaited<ReturnType<typeof runPod>>
  let main: string
  beforeAll(async () => {
    shim = await startShim()
    pod = await runPod(shim)
    main = await runShell(shim, pod, 'sleep 100000')
  })
  afterAll(() => shim.stop())

  test('ExecSync gives both outputs and the exit code', async () => {
    const answer = await shim.client.execSync({ containerId: main, cmd: ['sh', '-c', 'echo out; echo err >&2; exit 4'] })
    expect([Buffer.from(answer.stdout).toString(), Buffer.from(answer.stderr).toString(), answer.exitCode]).toEqual(['out\n', 'err\n', 4])
  })

  test('ExecSync that takes too long is DeadlineExceeded, and the command is gone with all it has started', async () => {
    const command = "sh -c 'sleep 31415 & setsid sleep 31416 & sleep 31417'"
    await expect(shim.client.execSync({ containerId: main, cmd: ['sh', '-c', command], timeout: 1n })).rejects.toMatchObject({ code: 'DeadlineExceeded', message: expect.stringContaining('timed out after 1s') })
    await until(async () => Buffer.from((await shim.client.execSync({ containerId: main, cmd: ['sh', '-c', 'ps | grep -c "sleep 3141[5-7]$" || true'] })).stdout).toString().trim() === '0', 'nothing of it runs')
  })

  test('ExecSync keeps as much output as an answer can hold, 16 MiB, and the command still ends', async () => {
    const { stdout, stderr, exitCode } = await shim.client.execSync({ containerId: main, cmd: ['sh', '-c', 'head -c 20000000 /dev/zero; echo more >&2; exit 3'] })
    expect([stdout.length, stderr.length, exitCode]).toEqual([16 * 1024 * 1024 - 4096, 0, 3])
  })

  test('ExecSync whose container ends meanwhile ends too', async () => {
    const short = await runShell(shim, pod, 'sleep 1', { metadata: { name: 'short' }, logPath: 'short/0.log', linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' } } } })
    expect((await shim.client.execSync({ containerId: short, cmd: ['sleep', '1000'], timeout: 30n })).exitCode).toBe(137)
  })

  test('a command that cannot be found is exit code 126 or 127, and a container that is not there NotFound', async () => {
    const answer = await shim.client.execSync({ containerId: main, cmd: ['/no/such/program'] })
    expect([126, 127]).toContain(answer.exitCode)
    await expect(shim.client.execSync({ containerId: 'nobody', cmd: ['true'] })).rejects.toMatchObject({ code: 'NotFound' })
  })

  describe.each(['spdy', 'websocket'] as const)('over %s', (transport) => {
    const streams = { stdin: true, stdout: true, stderr: true, tty: false }

    test('exec carries input, both outputs and the exit code', async () => {
      const { url } = await shim.client.exec({ containerId: main, cmd: ['sh', '-c', 'cat; echo err >&2; exit 5'], ...streams })
      const command = await connectRemoteCommand(url, { transport, streams })
      command.stdin?.end('typed')
      const [stdout, stderr, status] = await Promise.all([text(command.stdout as never), text(command.stderr as never), command.status])
      expect([stdout, stderr, exitCodeOf(status)]).toEqual(['typed', 'err\n', 5])
      command.close()
    })

    test('exec with a terminal has its size', async () => {
      const terminal = { stdin: true, stdout: true, stderr: false, tty: true }
      const { url } = await shim.client.exec({ containerId: main, cmd: ['sh'], ...terminal })
      const command = await connectRemoteCommand(url, { transport, streams: terminal })
      command.resize({ width: 111, height: 33 })
      let seen = ''
      command.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString()))
      const timer = setInterval(() => command.stdin?.write('stty size\n'), 100)
      await until(() => seen.includes('33 111'), 'the terminal has its size')
      clearInterval(timer)
      command.stdin?.write('exit 7\n')
      expect(exitCodeOf(await command.status)).toBe(7)
      command.close()
    })

    test('exec whose client goes away is ended', async () => {
      const { url } = await shim.client.exec({ containerId: main, cmd: ['sleep', `27182${transport.length}`], ...streams })
      const command = await connectRemoteCommand(url, { transport, streams })
      const running = async (): Promise<string> => Buffer.from((await shim.client.execSync({ containerId: main, cmd: ['sh', '-c', `ps | grep -c "sleep 27182${transport.length}$" || true`] })).stdout).toString().trim()
      await until(async () => (await running()) === '1', 'the command runs')
      command.close()
      await until(async () => (await running()) === '0', 'the command is gone')
    })

    test('a URL serves once', async () => {
      const { url } = await shim.client.exec({ containerId: main, cmd: ['true'], ...streams })
      const command = await connectRemoteCommand(url, { transport, streams })
      await command.status
      await expect(connectRemoteCommand(url, { transport, streams })).rejects.toMatchObject({ status: 404 })
      command.close()
    })

    test('attach gives what the container writes, and passes its input on', async () => {
      const name = `attach-${transport}`
      const id = await runShell(shim, pod, 'while read line; do echo "got $line"; done', { metadata: { name }, logPath: `${name}/0.log`, stdin: true, stdinOnce: true })
      const { url } = await shim.client.attach({ containerId: id, ...streams })
      const attached = await connectRemoteCommand(url, { transport, streams })
      attached.stdin?.end('one\ntwo\n')
      expect(await text(attached.stdout as never)).toBe('got one\ngot two\n')
      expect(exitCodeOf(await attached.status)).toBe(0)
      attached.close()
    })

    test('several clients attach at once: each gets all output, and one that goes leaves the others', async () => {
      const name = `several-${transport}`
      const id = await runShell(shim, pod, 'read line; echo "first $line"; read line; echo "then $line"', { metadata: { name }, logPath: `${name}/0.log`, stdin: true })
      const attach = async (stdin: boolean): ReturnType<typeof connectRemoteCommand> =>
        connectRemoteCommand((await shim.client.attach({ containerId: id, stdin, stdout: true, stderr: true })).url, { transport, streams: { ...streams, stdin } })
      const [writer, leaver, reader] = [await attach(true), await attach(false), await attach(false)]
      const heard = text(reader.stdout as never)
      leaver.close()
      writer.stdin?.write('one\n')
      writer.stdin?.write('two\n')
      expect(await text(writer.stdout as never)).toBe('first one\nthen two\n')
      expect(await heard).toBe('first one\nthen two\n')
      for (const client of [writer, reader]) client.close()
    })

    test('attach to a container that ends at once ends too', async () => {
      const name = `quick-${transport}`
      const id = await runShell(shim, pod, 'sleep 0.3; echo last', { metadata: { name }, logPath: `${name}/0.log` })
      const { url } = await shim.client.attach({ containerId: id, stdout: true, stderr: true })
      await until(async () => (await shim.client.containerStatus({ containerId: id })).status?.state === 'CONTAINER_EXITED', 'the container has ended')
      const attached = await connectRemoteCommand(url, { transport, streams: { stdin: false, stdout: true, stderr: true, tty: false } })
      attached.stdout?.resume()
      attached.stderr?.resume()
      expect(await attached.status).toMatchObject({ metadata: {} })
      attached.close()
    })

    test('attach gives a slow reader everything, also when the container has ended meanwhile', async () => {
      const name = `slow-${transport}`
      const id = await runShell(shim, pod, 'read x; head -c 3000000 /dev/zero', { metadata: { name }, logPath: `${name}/0.log`, stdin: true, stdinOnce: true })
      const { url } = await shim.client.attach({ containerId: id, ...streams })
      const attached = await connectRemoteCommand(url, { transport, streams })
      attached.stderr?.resume()
      attached.stdin?.write('go\n')
      let size = 0
      for await (const chunk of attached.stdout ?? []) {
        if (size === 0) await new Promise((resolve) => setTimeout(resolve, 1500))
        size += (chunk as Buffer).length
      }
      expect(size).toBe(3_000_000)
      attached.close()
    })

    test('port-forward reaches a port that only the pod has', async () => {
      const name = `server-${transport}`
      const port = transport === 'spdy' ? 8101 : 8102
      await runShell(shim, pod, `while :; do echo "hello from the pod" | nc -l -p ${port}; done`, { metadata: { name }, logPath: `${name}/0.log` })
      const { url } = await shim.client.portForward({ podSandboxId: pod.id, port: [port] })
      const client = await connectPortForward(url, { transport })
      await until(async () => {
        const { data, error } = await client.forward(port)
        data.end()
        const answer = await text(data).catch(() => '')
        await error
        return answer === 'hello from the pod\n'
      }, 'the port answers')
      const refused = await client.forward(1)
      refused.data.resume()
      expect(await refused.error).toMatch(/^error forwarding port 1 to pod [0-9a-f]{64}, uid uid-pod-\d+: .*Connection refused$/)
      client.close()
    })
  })

  test.each([
    [{ cmd: ['true'] }, 'one of stdin, stdout, or stderr must be set'],
    [{ cmd: ['true'], tty: true, stdout: true, stderr: true }, 'tty and stderr cannot both be true'],
    [{ stdout: true }, 'cmd: is required'],
  ])('an exec like %o is refused', async (request, message) => {
    await expect(shim.client.exec({ containerId: main, ...request })).rejects.toMatchObject({ code: 'InvalidArgument', message })
  })
})
