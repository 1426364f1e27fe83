import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testCgroup, until } from './support/engine.ts'
import { ended, logLines, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()
const long = process.env['BERTH_TEST_LONG'] !== undefined

/** Megabytes that a container writes, and how many pods are made and removed. */
const megabytes = long ? 1024 : 24
const cycles = long ? 500 : 20

/** Puts a CRI log's bytes together again: pieces joined, line ends where lines end. */
async function contentDigest(path: string): Promise<{ bytes: number; digest: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const line of createInterface({ input: createReadStream(path, 'latin1'), crlfDelay: Infinity })) {
    const [, tag = '', text = ''] = /^\S+ \S+ ([PF]) (.*)$/s.exec(line) ?? []
    const content = Buffer.from(tag === 'F' ? `${text}\n` : text, 'latin1')
    hash.update(content)
    bytes += content.length
  }
  return { bytes, digest: hash.digest('hex') }
}

describe.skipIf(missing !== '')(`load${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  beforeAll(async () => {
    shim = await startShim()
  })
  afterAll(() => shim.stop())

  test(`a container that writes ${megabytes} MB of lines, long lines of 1 MB, binary and a last half line has all of it in its log`, async () => {
    const pod = await runPod(shim)
    const random = 1024 * 1024
    const parts = [
      `yes ${'x'.repeat(99)} | head -c ${(megabytes - 4) * 1_000_000}`,
      `for i in 1 2 3; do head -c ${random - 1} /dev/zero | tr '\\0' y; echo; done`,
      // Binary without the two bytes that end a line for the reader of this test.
      `tr -d '\\n\\r' < /bin/busybox | head -c 500000; echo; printf half`,
    ]
    const script = parts.join('; ')
    const id = await runShell(shim, pod, `(${script}) | tee /copy; sync`)
    const path = join(pod.config.logDirectory ?? '', 'main/0.log')
    await until(async () => (await shim.client.containerStatus({ containerId: id })).status?.state === 'CONTAINER_EXITED', 'all is written', long ? 600_000 : 90_000)
    const { UpperDir: upperDir } = (await shim.engine.docker.getContainer(id).inspect()).GraphDriver.Data as unknown as { UpperDir: string }
    const expected = execFileSync('sha256sum', [join(upperDir, 'copy')], { encoding: 'utf8' }).split(' ')[0]
    expect((await contentDigest(path)).digest).toBe(expected)
    await shim.client.removePodSandbox({ podSandboxId: pod.id })
  }, long ? 900_000 : 120_000)

  test('a full disk below the log stops the log, not the container; when there is room again everything is there, once', async () => {
    const pod = await runPod(shim)
    const directory = join(pod.config.logDirectory ?? '', 'main')
    mkdirSync(directory, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
    try {
      const id = await runShell(shim, pod, 'i=0; while [ $i -lt 40000 ]; do echo line-$i-0123456789012345678901234567890123456789; i=$((i+1)); done; echo done > /done; sleep 100000')
      await until(async () => (await shim.client.execSync({ containerId: id, cmd: ['test', '-e', '/done'] })).exitCode === 0, 'the container has written everything', 60_000)
      expect(readFileSync(join(directory, '0.log')).length).toBeLessThanOrEqual(1024 * 1024)
      execFileSync('mount', ['-o', 'remount,size=64m', directory])
      await until(() => readFileSync(join(directory, '0.log'), 'utf8').includes('line-39999-'), 'the rest is written')
      expect(logLines(readFileSync(join(directory, '0.log'), 'utf8'))).toEqual(Array.from({ length: 40_000 }, (_value, index) => `stdout F line-${index}-0123456789012345678901234567890123456789`))
    } finally {
      await shim.client.removePodSandbox({ podSandboxId: pod.id })
      execFileSync('umount', ['-l', directory])
    }
  })

  test('a hundred commands at once all give their own output and exit code', async () => {
    const pod = await runPod(shim)
    const containerId = await runShell(shim, pod, 'sleep 100000')
    const answers = await Promise.all(Array.from({ length: 100 }, (_value, index) => shim.client.execSync({ containerId, cmd: ['sh', '-c', `echo ${index}; exit ${index}`], timeout: 100n })))
    expect(answers.map(({ stdout, exitCode }) => [Buffer.from(stdout).toString().trim(), exitCode])).toEqual(answers.map((_answer, index) => [String(index), index]))
    await shim.client.removePodSandbox({ podSandboxId: pod.id })
  })

  test(`${cycles} pods that are made and removed leave nothing`, async () => {
    const { directory } = shim.engine
    const processes = (): string[] => execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes('containerd-shim') && line.includes(directory))
    const cgroups = (): string[] => ['memory', 'cpu', 'pids', ''].map((hierarchy) => join('/sys/fs/cgroup', hierarchy, testCgroup)).filter((path) => existsSync(path)).flatMap((path) => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap((pod) => readdirSync(join(path, pod.name), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name)))
    const count = (): Record<string, unknown> => ({
      processes: processes().length,
      containerCgroups: cgroups(),
      descriptors: readdirSync('/proc/self/fd').length,
      mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(directory)).length,
      interfaces: execFileSync('ip', ['-o', 'link', 'show', 'type', 'veth'], { encoding: 'utf8' }).split('\n').filter((line) => line.includes('master bt')).length,
      sandboxes: readdirSync(join(shim.options.rootDir, 'sandboxes')),
      addresses: readdirSync(join(directory, 'ipam', 'test')).length,
      results: readdirSync(join(directory, 'cni-cache', 'results')),
      containers: readdirSync(join(directory, 'docker', 'containers')),
    })
    const cycle = async (): Promise<void> => {
      const pod = await runPod(shim)
      const id = await runShell(shim, pod, 'echo up; sleep 100000')
      await shim.client.stopContainer({ containerId: id, timeout: 0n })
      await ended(shim, id)
      await shim.client.removePodSandbox({ podSandboxId: pod.id })
    }
    await cycle()
    await until(() => processes().length === 0, 'the first pod’s processes are gone')
    const before = count()
    for (let round = 0; round < cycles / 5; round++) await Promise.all(Array.from({ length: 5 }, cycle))
    await until(() => processes().length === 0, 'all processes are gone')
    const after = count()
    // Connections to the Engine are kept for a while and used again; a leak would be one a pod.
    expect(Math.abs(Number(after['descriptors']) - Number(before['descriptors']))).toBeLessThan(20)
    expect({ ...after, descriptors: 0 }).toEqual({ ...before, descriptors: 0 })
  }, long ? 1_800_000 : 120_000)
})
