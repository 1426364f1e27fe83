import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { nativeBinary } from '../src/index.ts'
import { isRoot } from './namespaces.ts'

const children = (pid: number) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

test.skipIf(!isRoot)('pause, as the first process of a pid namespace, reaps orphans and ends on TERM', async () => {
  const outer = spawn('unshare', ['--pid', '--fork', nativeBinary(), 'pause'])
  const ended = new Promise((resolve) => outer.on('exit', (code, signal) => resolve([code, signal])))
  await expect.poll(() => children(outer.pid ?? 0).length).toBe(1)
  const pause = children(outer.pid ?? 0)[0] ?? 0
  await expect.poll(() => readFileSync(`/proc/${pause}/comm`, 'utf8')).toBe('berth-native\n')
  execFileSync('nsenter', ['-t', String(pause), '-p', '/bin/sh', '-c', 'sleep 0.3 > /dev/null 2>&1 &'], { stdio: 'ignore' })
  expect(children(pause)).toHaveLength(1)
  await expect.poll(() => children(pause)).toHaveLength(0)
  process.kill(pause, 'SIGTERM')
  expect(await ended).toEqual([0, null])
})
