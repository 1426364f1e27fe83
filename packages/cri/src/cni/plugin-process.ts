import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { CniError, cniErrorCodes } from './cni-error.ts'

/** More output than any plugin has to give; what exceeds it ends the plugin. */
const maxOutputBytes = 4 * 1024 * 1024

/** One execution of a plugin. */
export interface PluginCall {
  /** The plugin's `type`. */
  type: string
  command: 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'VERSION' | 'GC'
  binDirs: readonly string[]
  /** CNI_* variables besides CNI_COMMAND and CNI_PATH. */
  environment: Readonly<Record<string, string>>
  /** What goes to the plugin's standard input. */
  config: object
  signal?: AbortSignal | undefined
}

/**
 * Runs a plugin and gives the JSON it printed (undefined where it printed nothing). Throws CniError with what the plugin said.
 */
export async function runPlugin(call: PluginCall): Promise<unknown> {
  const path = await findPlugin(call.type, call.binDirs)
  const { code, signal, stdout, stderr } = await execute(path, call)
  const failed = `plugin type=${JSON.stringify(call.type)} failed (${call.command.toLowerCase()})`
  if (code !== 0) throw pluginError(failed, code, signal, stdout, stderr)
  if (stdout.trim() === '') return undefined
  try {
    return JSON.parse(stdout) as unknown
  } catch (error) {
    throw new CniError(cniErrorCodes.decodingFailure, `${failed}: its output is not JSON: ${(error as Error).message}`, '', { cause: error })
  }
}

async function findPlugin(type: string, binDirs: readonly string[]): Promise<string> {
  for (const directory of binDirs) {
    const path = join(directory, type)
    try {
      await access(path, constants.X_OK)
      return path
    } catch {
      // The next directory may have it.
    }
  }
  throw new CniError(cniErrorCodes.invalidEnvironment, `failed to find plugin ${JSON.stringify(type)} in path [${binDirs.join(' ')}]`)
}

function pluginError(failed: string, code: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string): CniError {
  const parsed = parseError(stdout)
  if (parsed) return new CniError(parsed.code, `${failed}: ${parsed.msg}`, parsed.details)
  const how = signal ? `killed by ${signal}` : `exit status ${code}`
  const said = stderr.trim() || stdout.trim()
  return new CniError(cniErrorCodes.internal, said === '' ? `${failed}: netplugin failed with no error message: ${how}` : `${failed}: netplugin failed (${how}): ${JSON.stringify(said.slice(0, 2000))}`)
}

function parseError(stdout: string): { code: number; msg: string; details: string } | undefined {
  try {
    const { code, msg, details } = JSON.parse(stdout) as { code?: unknown; msg?: unknown; details?: unknown }
    if (typeof msg !== 'string') return undefined
    return { code: typeof code === 'number' ? code : cniErrorCodes.internal, msg, details: typeof details === 'string' ? details : '' }
  } catch {
    return undefined
  }
}

interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A plugin that was just installed may still be open for writing (ETXTBSY): tried again for a moment, as libcni does. */
async function execute(path: string, call: PluginCall): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await executeOnce(path, call)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ETXTBSY' || attempt === 5) {
        throw new CniError(cniErrorCodes.ioFailure, `cannot run ${path}: ${(error as Error).message}`, '', { cause: error })
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

function executeOnce(path: string, call: PluginCall): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [], {
      env: { ...process.env, ...call.environment, CNI_COMMAND: call.command, CNI_PATH: call.binDirs.join(':') },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: call.signal,
      killSignal: 'SIGKILL',
    })
    const stdout = collect(child.stdout, () => child.kill('SIGKILL'))
    const stderr = collect(child.stderr, () => child.kill('SIGKILL'))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout: stdout(), stderr: stderr() }))
    // A plugin may end without reading; its answer tells what happened.
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(call.config))
  })
}

function collect(stream: NodeJS.ReadableStream, tooMuch: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxOutputBytes) tooMuch()
    else chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
