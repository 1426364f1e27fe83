import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nativeBinary } from '@berth/native'
import { TimeoutError } from '../errors.ts'
import type { Layout } from '../instance/layout.ts'
import { askSupervisor } from './client.ts'
import { processTable, type ProcessSpec } from './table.ts'

/**
 * Sees to it that a supervisor runs this table. One that runs reads it again; where none runs, one is started, detached,
 * and adopts what an earlier one left running.
 */
export async function ensureSupervisor(layout: Layout, processes: readonly ProcessSpec[]): Promise<'found' | 'started'> {
  fs.mkdirSync(layout.runDir, { recursive: true, mode: 0o700 })
  fs.mkdirSync(layout.logsDir, { recursive: true, mode: 0o700 })
  const temporary = `${layout.processTable}.new`
  fs.writeFileSync(temporary, processTable(processes), { mode: 0o600 })
  fs.renameSync(temporary, layout.processTable)
  if ((await askSupervisor(layout.supervisorSocket, 'reload')) !== undefined) return 'found'
  await startSupervisor(layout)
  return 'started'
}

/** Starts a supervisor on the table that is on disk and waits until it listens. */
export async function startSupervisor(layout: Layout): Promise<void> {
  const log = fs.openSync(path.join(layout.logsDir, 'supervisor.log'), 'a', 0o600)
  const child = spawn(nativeBinary(), ['supervise', '--table', layout.processTable, '--state', layout.processState, '--socket', layout.supervisorSocket], {
    detached: true, stdio: ['ignore', log, log], cwd: '/', env: {},
  })
  child.unref()
  fs.closeSync(log)
  for (let i = 0; i < 200; i++) {
    if ((await askSupervisor(layout.supervisorSocket, 'status')) !== undefined) return
    if (child.exitCode !== null) break
    await sleep(25)
  }
  throw new TimeoutError(`the supervisor did not start; see ${path.join(layout.logsDir, 'supervisor.log')}`)
}
