import { MachineError } from '../errors.ts'

/** Set for a process that has already entered its network namespace. */
const insideVariable = 'BERTH_INSIDE'

/** Whether this process has entered its namespace; `ensure` what it needs there must not run again. */
export function isInside(): boolean {
  return process.env[insideVariable] !== undefined
}

/**
 * Replaces this process by itself inside a network namespace: same process id, same arguments, so that the supervisor
 * sees one process. Only the network is entered; mounts stay the machine's. Does not return.
 */
export function reexecInside(netns: string, env: Record<string, string> = {}): never {
  const nsenter = (process.env.PATH ?? '').split(':').map((dir) => `${dir}/nsenter`).find((file) => process.getBuiltinModule('node:fs').existsSync(file))
  if (!nsenter) throw new MachineError('nsenter is not on PATH (Debian package util-linux)')
  const execve = process.execve
  if (!execve) throw new MachineError('this Node has no process.execve')
  execve.call(process, nsenter, ['nsenter', `--net=${netns}`, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    ...process.env as Record<string, string>, ...env, [insideVariable]: '1',
  })
  throw new MachineError('execve returned')
}
