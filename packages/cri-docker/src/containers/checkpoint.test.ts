import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Shim } from '../shim.ts'
import { checkpointContainer } from './checkpoint.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-checkpoint-'))
afterAll(() => rmSync(directory, { recursive: true }))

/** A shim whose Engine is experimental, and does what this function does when it is asked for a checkpoint. */
function shimWith(createCheckpoint: (options: { CheckpointID: string; CheckpointDir: string; Exit: boolean }) => Promise<void>, ExperimentalBuild = true): Shim {
  const record = { id: 'abc', state: 'running', imageId: 'sha256:1', createdAt: 0n, spec: { metadata: { name: 'main', attempt: 0 }, image: 'web:1' } }
  return { engine: { version: '20.10', docker: { info: async () => ({ ExperimentalBuild }), getContainer: () => ({ createCheckpoint }) } }, store: { mustContainer: async () => record } } as unknown as Shim
}

const request = (timeout = 0n): { containerId: string; location: string; timeout: bigint } => ({ containerId: 'abc', location: join(directory, 'out.tar'), timeout })
const signal = new AbortController().signal
const refusal = (message: string, statusCode: number): Error => Object.assign(new Error(message), { statusCode, json: { message } })

describe('a checkpoint', () => {
  test('is an archive of the container’s description and CRIU’s files, for root alone', async () => {
    let exit: boolean | undefined
    await checkpointContainer(
      shimWith(async ({ CheckpointID, CheckpointDir, Exit }) => {
        exit = Exit
        mkdirSync(join(CheckpointDir, CheckpointID, 'criu.work'), { recursive: true })
        writeFileSync(join(CheckpointDir, CheckpointID, 'pages-1.img'), 'pages')
        writeFileSync(join(CheckpointDir, CheckpointID, 'criu.work', 'dump.log'), 'log')
      }),
      request(),
      signal,
    )
    expect(exit).toBe(false)
    expect(execFileSync('tar', ['-tf', join(directory, 'out.tar')], { encoding: 'utf8' }).trim().split('\n').toSorted()).toEqual(['checkpoint/criu.work/dump.log', 'checkpoint/pages-1.img', 'config.dump'])
    expect(JSON.parse(execFileSync('tar', ['-xOf', join(directory, 'out.tar'), 'config.dump'], { encoding: 'utf8' }))).toMatchObject({ id: 'abc', name: 'main', rootfsImageName: 'web:1' })
    expect(statSync(join(directory, 'out.tar')).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['out.tar'])
    rmSync(join(directory, 'out.tar'))
  })

  test.each([
    ['an Engine that is not experimental', shimWith(async () => {}, false), 'Unimplemented', 'experimental mode'],
    ['a machine without CRIU', shimWith(() => Promise.reject(refusal('runc checkpoint: exec: "criu": executable file not found in $PATH', 500))), 'Unimplemented', 'CRIU (criu(8))'],
    ['another failure', shimWith(() => Promise.reject(refusal('cannot dump', 500))), 'Unknown', 'cannot dump'],
  ])('of %s says so, and leaves nothing', async (_name, shim, code, message) => {
    await expect(checkpointContainer(shim, request(), signal)).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(readdirSync(directory)).toEqual([])
  })

  test('that takes longer than its caller waits is DeadlineExceeded', async () => {
    await expect(checkpointContainer(shimWith(() => new Promise(() => {})), request(1n), signal)).rejects.toMatchObject({ code: 'DeadlineExceeded' })
    expect(existsSync(join(directory, 'out.tar'))).toBe(false)
  })
})
