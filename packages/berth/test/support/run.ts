import { spawn } from 'node:child_process'
import path from 'node:path'

/** The command, from its sources: a bundle may be older than they are. */
export const main = path.resolve(import.meta.dirname, '../../src/main.ts')

/** How a program ended, and what it said. */
export interface Ended { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly stdout: string; readonly stderr: string }

/** Runs a program to its end. `killAfterMs` ends it with SIGKILL, if it runs that long. */
export function run(argv: readonly string[], options: { input?: string; env?: Record<string, string | undefined>; killAfterMs?: number; cwd?: string } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = argv
    const child = spawn(program, args, { env: { ...process.env, ...options.env }, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    const timer = options.killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr })
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a program and gives what it printed; one that fails is an error with what it said. */
export async function output(argv: readonly string[], options: { input?: string; env?: Record<string, string | undefined> } = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await run(argv, options)
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${signal ?? `exit code ${code}`}\n${stderr}${stdout}`)
  return stdout
}

/** Runs the berth command. */
export function berth(args: readonly string[], options: { killAfterMs?: number } = {}): Promise<Ended> {
  return run([process.execPath, '--disable-warning=ExperimentalWarning', main, ...args], options)
}
