import { spawn } from 'node:child_process'
import { CommandError } from './errors.ts'

/** Runs a program to its end and gives its standard output. A failure is a CommandError with what it said. */
export function exec(argv: readonly string[], options: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? process.env })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    child.on('error', (error) => reject(new CommandError(argv, undefined, error.message, { cause: error })))
    child.on('close', (code) => (code === 0 ? resolve(stdout) : reject(new CommandError(argv, code ?? undefined, stderr))))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

/** Runs a program inside a network namespace, which a path names. */
export function execIn(netns: string, argv: readonly string[], options: { input?: string } = {}): Promise<string> {
  return exec(['nsenter', `--net=${netns}`, ...argv], options)
}

/** Like `exec`, but a failure is an answer: undefined. */
export async function tryExec(argv: readonly string[], options: { input?: string } = {}): Promise<string | undefined> {
  try {
    return await exec(argv, options)
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}
