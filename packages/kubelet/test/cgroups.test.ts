import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openCgroups } from '../src/cgroups/files.ts'

const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot)('a pod\'s cgroup goes with what still runs in it: a killed runtime may have forgotten a process (needs root)', async () => {
  const cgroups = openCgroups()
  const path = `/berth-kubelet-cgroups-${process.pid}`
  await cgroups.ensure(`${path}/pod/container`)
  const forgotten = spawn('sleep', ['300'], { stdio: 'ignore' })
  const ended = once(forgotten, 'exit')
  const controllers = cgroups.version === 2 ? [''] : ['memory', 'pids']
  for (const controller of controllers) await cgroups.write(`${path}/pod/container`, [{ controller, file: 'cgroup.procs', value: String(forgotten.pid) }])
  await cgroups.remove(path)
  expect((await ended)[1]).toBe('SIGKILL')
  expect(controllers.filter((controller) => existsSync(`/sys/fs/cgroup/${controller}${path}`))).toEqual([])
})
