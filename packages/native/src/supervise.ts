import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { nativeBinary } from './binary.ts'
import { NativeError } from './errors.ts'

/** One process of the supervisor's table. Nothing of our own environment is inherited. */
export interface ProcessDefinition {
  name: string
  /** The first word is the program's absolute path. */
  argv: readonly string[]
  env?: Readonly<Record<string, string>>
  /** stdout and stderr are appended here. */
  log: string
  cwd?: string
  /** Network namespace to enter; retried with back-off while it does not exist. */
  netns?: string
  /** From TERM to KILL; 10 without it. */
  graceSeconds?: number
}

export interface ProcessStatus {
  name: string
  state: 'running' | 'backoff' | 'stopping' | 'stopped'
  /** 0 if it does not run. */
  pid: number
  /** Clock ticks since boot; with the pid it names the process for good. */
  startTime: string
  restarts: number
  /** '-', 'exit:N', 'signal:N', 'errno:N' or 'gone' (it was adopted, nobody knows). */
  lastExit: string
}

export interface SupervisorPaths {
  table: string
  state: string
  socket: string
}

/** The text of a process table. Throws NativeError where a value cannot be written down (a newline). */
export function formatProcessTable(processes: readonly ProcessDefinition[]): string {
  const lines: string[] = []
  for (const p of processes) {
    lines.push(`process ${p.name}`, ...p.argv.map((word) => `argv ${word}`))
    for (const [key, value] of Object.entries(p.env ?? {})) lines.push(`env ${key}=${value}`)
    lines.push(`log ${p.log}`)
    if (p.cwd) lines.push(`cwd ${p.cwd}`)
    if (p.netns) lines.push(`netns ${p.netns}`)
    if (p.graceSeconds !== undefined) lines.push(`grace ${p.graceSeconds}`)
    lines.push('end')
  }
  const broken = lines.find((line) => /[\n\0]/.test(line))
  if (broken !== undefined) throw new NativeError(`a process table cannot hold a newline: ${JSON.stringify(broken)}`)
  return lines.map((line) => `${line}\n`).join('')
}

/** Writes the process table atomically. */
export async function writeProcessTable(path: string, processes: readonly ProcessDefinition[]): Promise<void> {
  await writeFile(`${path}.tmp`, formatProcessTable(processes), { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}

/**
 * Starts the supervisor, detached from us (it lives on), and waits until it answers. It adopts what an earlier one on the same state file left running.
 * Throws NativeError if it does not come up; its own words are in `log`.
 */
export async function startSupervisor(paths: SupervisorPaths, log: string, timeoutMs = 10_000): Promise<void> {
  const out = openSync(log, 'a', 0o640)
  const args = ['supervise', '--table', paths.table, '--state', paths.state, '--socket', paths.socket]
  const child = spawn(nativeBinary(), args, { detached: true, stdio: ['ignore', out, out], cwd: '/', env: {} })
  closeSync(out)
  let ended: string | undefined
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`))
  child.unref()
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (ended) throw new NativeError(`the supervisor did not start: ${ended} (see ${log})`)
    try {
      await supervisorStatus(paths.socket)
      return
    } catch (error) {
      if (Date.now() > deadline) throw new NativeError(`the supervisor does not answer on ${paths.socket} (see ${log})`, { cause: error })
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Sends one command (`status`, `start NAME`, `stop NAME`, `restart NAME`, `reload`, `shutdown`) and gives the lines before its `ok`. Throws NativeError. */
export function supervisorCommand(socket: string, command: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket)
    let text = ''
    connection.setEncoding('utf8')
    connection.on('connect', () => connection.write(`${command}\n`))
    connection.on('data', (chunk: string) => {
      text += chunk
      const lines = text.split('\n')
      const last = lines.at(-2)
      if (!text.endsWith('\n') || last === undefined) return
      if (last === 'ok') resolve(lines.slice(0, -2))
      else if (last.startsWith('error ')) reject(new NativeError(`supervisor: ${last.slice(6)}`))
      else return
      connection.destroy()
    })
    connection.on('error', (error) => reject(new NativeError(`supervisor at ${socket}: ${error.message}`, { cause: error })))
    connection.on('close', () => reject(new NativeError(`supervisor at ${socket} closed the connection`)))
  })
}

/** The processes and how they are. Throws NativeError if no supervisor listens there. */
export async function supervisorStatus(socket: string): Promise<ProcessStatus[]> {
  return (await supervisorCommand(socket, 'status')).map(parseStatusLine)
}

function parseStatusLine(line: string): ProcessStatus {
  const [, name, state, pid, startTime, restarts, lastExit] = line.split(' ')
  if (!name || !isState(state) || !startTime || !lastExit) throw new NativeError(`supervisor: unexpected status line ${JSON.stringify(line)}`)
  return { name, state, pid: Number(pid), startTime, restarts: Number(restarts), lastExit }
}

function isState(text: string | undefined): text is ProcessStatus['state'] {
  return text === 'running' || text === 'backoff' || text === 'stopping' || text === 'stopped'
}
