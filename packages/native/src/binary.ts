import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { NativeError } from './errors.ts'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))

let known: string | undefined

/**
 * Path of the program `berth-native`. BERTH_NATIVE in the environment names another one; without it, the one built in this package is taken and built by `make`
 * first if it is missing (a C compiler is needed for that). Throws NativeError if it can be neither found nor built.
 */
export function nativeBinary(): string {
  if (known) return known
  const given = process.env.BERTH_NATIVE
  if (given) {
    if (!existsSync(given)) throw new NativeError(`BERTH_NATIVE names ${given}, which does not exist`)
    return (known = given)
  }
  const built = `${packageRoot}build/berth-native`
  if (!existsSync(built)) buildNative()
  return (known = built)
}

function buildNative(): void {
  try {
    execFileSync('make', ['-s', '-C', packageRoot], { stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new NativeError(`berth-native cannot be built (make in ${packageRoot}): ${stderr || String(error)}`, { cause: error })
  }
}

export interface RunResult {
  code: number
  stdout: string
  stderr: string
}

/** Runs the program to its end with these arguments and this stdin. Never rejects for an exit code; rejects with NativeError if it cannot be started. */
export function runNative(args: readonly string[], { input = '', signal, program = nativeBinary(), env }: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], signal, env })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', (error) => reject(new NativeError(`${program} ${args.join(' ')}: ${error.message}`, { cause: error })))
    child.on('close', (code, killedBy) => resolve({ code: code ?? (killedBy ? 128 : 1), stdout, stderr: stderr.trim() }))
    child.stdin.on('error', () => {}) // a program that does not read its stdin to the end says why by its exit code
    child.stdin.end(input)
  })
}

export interface RunOptions {
  input?: string
  signal?: AbortSignal
  /** Another program than nativeBinary(), e.g. its copy in a CNI bin directory. */
  program?: string
  env?: NodeJS.ProcessEnv
}
