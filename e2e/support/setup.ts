// Makes the one cluster that the suites share, with the guestbook on it, the way `npm start` does; takes it down at the end.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { snapshotOfMachine, type MachineSnapshot } from './machine.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    kubeconfig: string
    dataDir: string
    machineBefore: MachineSnapshot
  }
}

const root = path.resolve(import.meta.dirname, '../..')
const dataDir = '/var/tmp/berth-e2e'

function berth(...args: string[]): void {
  const result = spawnSync(process.execPath, [path.join(root, 'packages/berth/bin/berth.js'), ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (result.status !== 0) throw new Error(`berth ${args[0]} ended with ${result.status ?? result.signal}`)
}

export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
  project.provide('dataDir', dataDir)
  project.provide('kubeconfig', path.join(dataDir, 'kubeconfig'))
  if (process.getuid?.() !== 0) {
    project.provide('machineBefore', await snapshotOfMachine(dataDir))
    return undefined
  }
  berth('down', '--purge', '--data-dir', dataDir)
  project.provide('machineBefore', await snapshotOfMachine(dataDir))
  const demo = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', path.join(root, 'hack/guestbook/demo.ts')], { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, BERTH_DATA_DIR: dataDir } })
  if (demo.status !== 0) {
    // What the processes said is what explains it.
    for (const log of ['server', 'agent-n1', 'dockerd', 'supervisor']) {
      const file = path.join(dataDir, 'logs', `${log}.log`)
      if (fs.existsSync(file)) console.error(`--- ${log}\n${fs.readFileSync(file, 'utf8').split('\n').slice(-40).join('\n')}`)
    }
    throw new Error('the guestbook did not come up')
  }
  return () => berth('down', '--purge', '--data-dir', dataDir)
}
