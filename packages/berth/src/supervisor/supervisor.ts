import fs from 'node:fs'
import path from 'node:path'
import { startSupervisor, supervisorCommand, supervisorStatus, writeProcessTable, type ProcessDefinition, type ProcessStatus } from '@berth/native'
import type { Layout } from '../instance/layout.ts'

function logOf(layout: Layout): string {
  return path.join(layout.logsDir, 'supervisor.log')
}

function pathsOf(layout: Layout): { table: string; state: string; socket: string } {
  return { table: layout.processTable, state: layout.processState, socket: layout.supervisorSocket }
}

/** How the processes are; undefined where no supervisor runs. */
export async function processStatus(layout: Layout): Promise<ProcessStatus[] | undefined> {
  if (!fs.existsSync(layout.supervisorSocket)) return undefined
  try {
    return await supervisorStatus(layout.supervisorSocket)
  } catch (error) {
    // A socket that nobody listens on is what a killed supervisor leaves.
    if (error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED') return undefined
    throw error
  }
}

/** Whether an earlier supervisor left its state: it runs, or its processes may live on without it. */
export function wasSupervised(layout: Layout): boolean {
  return fs.existsSync(layout.processState) && fs.existsSync(layout.processTable)
}

/**
 * Sees to it that a supervisor runs this table. One that runs reads it again; where none runs, one is started, detached,
 * and adopts what an earlier one left running.
 */
export async function ensureSupervisor(layout: Layout, processes: readonly ProcessDefinition[]): Promise<'found' | 'started'> {
  fs.mkdirSync(layout.runDir, { recursive: true, mode: 0o700 })
  fs.mkdirSync(layout.logsDir, { recursive: true, mode: 0o700 })
  await writeProcessTable(layout.processTable, processes)
  if (await processStatus(layout)) {
    await supervisorCommand(layout.supervisorSocket, 'reload')
    return 'found'
  }
  await startSupervisor(pathsOf(layout), logOf(layout))
  return 'started'
}

/** Starts a supervisor on the table that is on disk: the one that was there has died. */
export async function reviveSupervisor(layout: Layout): Promise<void> {
  await startSupervisor(pathsOf(layout), logOf(layout))
}

/** Stops one process for good; returns when it is gone. */
export async function stopProcess(layout: Layout, name: string): Promise<void> {
  await supervisorCommand(layout.supervisorSocket, `stop ${name}`)
}

/** Stops all processes and the supervisor. */
export async function shutDown(layout: Layout): Promise<void> {
  await supervisorCommand(layout.supervisorSocket, 'shutdown')
}
