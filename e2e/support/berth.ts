import path from 'node:path'
import { inject } from 'vitest'
import { run, type Ended } from './kubectl.ts'

const launcher = path.resolve(import.meta.dirname, '../../packages/berth/bin/berth.js')

/** Runs the berth command on this run's cluster. */
export function berth(args: readonly string[]): Promise<Ended> {
  return run([process.execPath, launcher, ...args, '--data-dir', inject('dataDir')], { timeoutMs: 240_000 })
}

/** A process of the cluster as `berth status` shows it. */
export interface ProcessRow { readonly name: string; readonly state: string; readonly pid: number; readonly restarts: number }

/** `berth status -o json`: its processes. */
export async function processes(): Promise<ProcessRow[]> {
  const { stdout } = await berth(['status', '-o', 'json'])
  return (JSON.parse(stdout) as { processes?: ProcessRow[] }).processes ?? []
}

/** The process id of one of the cluster's processes. */
export async function pidOf(name: string): Promise<number> {
  const row = (await processes()).find((p) => p.name === name && p.state === 'running')
  if (!row) throw new Error(`${name} does not run`)
  return row.pid
}
