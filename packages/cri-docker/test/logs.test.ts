import { createReadStream, existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from './support/engine.ts'
import { ended, logLines, runPod, runShell, shimMissing, startShim, type TestShim } from './support/shim.ts'

const missing = shimMissing()

describe.skipIf(missing !== '')(`logs${missing && ` (skipped: ${missing})`}`, () => {
  let shim: TestShim
  let pod: Awaited<ReturnType<typeof runPod>>
  let attempts = 0
  beforeAll(async () => {
    shim = await startShim()
    pod = await runPod(shim)
  })
  afterAll(() => shim.stop())

  const start = async (script: string, fields: object = {}): Promise<{ id: string; path: string }> => {
    attempts += 1
    const id = await runShell(shim, pod, script, { logPath: `main/${attempts}.log`, ...fields }, attempts)
    return { id, path: join(pod.config.logDirectory ?? '', `main/${attempts}.log`) }
  }

  test('have a line for each line of both streams, with stamps, as soon as the container has ended', async () => {
    const { id, path } = await start('echo one; echo two >&2; sleep 0.2; echo three')
    await ended(shim, id)
    const text = readFileSync(path, 'utf8')
    for (const line of text.trim().split('\n')) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) F \w+$/)
    expect(logLines(text).toSorted()).toEqual(['stderr F two', 'stdout F one', 'stdout F three'])
  })

  test('are there, if empty, as soon as the container was started', async () => {
    const { path } = await start('sleep 1000')
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  test('have every byte as it was written, long lines in pieces, and a last line without an end as such', async () => {
    const { id, path } = await start("printf '\\377\\001\\n'; head -c 40000 /dev/zero | tr '\\0' a; echo; printf end")
    await ended(shim, id)
    const lines = readFileSync(path).toString('latin1').split('\n').map((line) => line.replace(/^\S+ /, ''))
    expect(lines[0]).toBe('stdout F \u00ff\u0001')
    const pieces = lines.slice(1, -2)
    expect(pieces.map((line) => line.slice(0, 8))).toEqual(['stdout P', 'stdout P', 'stdout F'])
    expect(pieces.map((line) => line.slice(9)).join('')).toBe('a'.repeat(40_000))
    expect(lines.slice(-2)).toEqual(['stdout P end', ''])
  })

  test('of a terminal keep its line ends', async () => {
    const { id, path } = await start('echo hello', { tty: true })
    await ended(shim, id)
    expect(readFileSync(path, 'utf8')).toMatch(/^\S+ stdout F hello\r\n$/)
  })

  test('go on in a new file after rotation, without losing or repeating a line', async () => {
    const { id, path } = await start('i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); [ $((i%100)) = 0 ] && sleep 0.01; done')
    for (let round = 0; round < 4; round++) {
      await until(() => existsSync(path) && readFileSync(path, 'utf8') !== '', 'there are lines')
      renameSync(path, `${path}.2026-01-0${round + 1}`)
      await shim.client.reopenContainerLog({ containerId: id }).catch(() => {})
    }
    await ended(shim, id)
    const directory = join(path, '..')
    const files = readdirSync(directory).filter((name) => name.startsWith(`${attempts}.log`)).toSorted((a, b) => (a === `${attempts}.log` ? 1 : b === `${attempts}.log` ? -1 : a < b ? -1 : 1))
    const all = files.flatMap((name) => logLines(readFileSync(join(directory, name), 'utf8')))
    expect(all).toEqual(Array.from({ length: 3000 }, (_value, index) => `stdout F ${index}`))
  })

  test('go on after the shim was away, without losing or repeating a line', async () => {
    const { id, path } = await start('i=0; while [ $i -lt 4000 ]; do echo $i; echo e$i >&2; i=$((i+1)); [ $((i%50)) = 0 ] && sleep 0.02; done')
    for (let round = 0; round < 3; round++) {
      await until(() => existsSync(path) && readFileSync(path, 'utf8').split('\n').length > 300 * (round + 1), 'there are lines')
      await shim.restartShim()
    }
    const status = await ended(shim, id)
    expect(status.exitCode).toBe(0)
    const lines = logLines(readFileSync(path, 'utf8'))
    expect(lines.filter((line) => line.startsWith('stdout'))).toEqual(Array.from({ length: 4000 }, (_value, index) => `stdout F ${index}`))
    expect(lines.filter((line) => line.startsWith('stderr'))).toEqual(Array.from({ length: 4000 }, (_value, index) => `stderr F e${index}`))
  })

  test('of a container that ended while the shim was away are written when it is back', async () => {
    const { id, path } = await start('sleep 1; echo last words')
    await shim.restartShim()
    await ended(shim, id)
    await shim.restartShim()
    expect(logLines(readFileSync(path, 'utf8'))).toEqual(['stdout F last words'])
  })

  test('are read in pieces, so that a container that floods its log costs little memory', async () => {
    const before = process.memoryUsage().rss
    let most = 0
    const { id, path } = await start("yes 'a line of the flood, some tens of bytes long' | head -c 50000000")
    await until(async () => {
      most = Math.max(most, process.memoryUsage().rss - before)
      return (await shim.client.containerStatus({ containerId: id })).status?.state === 'CONTAINER_EXITED'
    }, 'the flood is over', 100_000)
    expect(most).toBeLessThan(150_000_000)
    let lines = 0
    for await (const chunk of createReadStream(path)) lines += (chunk as Buffer).toString('latin1').split('\n').length - 1
    expect(lines).toBe(Math.ceil(50_000_000 / 45))
  }, 120_000)
})
