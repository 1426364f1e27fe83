import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { inject } from 'vitest'

/** What a program said and how it ended. */
export interface Ended { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs a program to its end. */
export function run(argv: readonly string[], options: { input?: string; env?: Record<string, string>; timeoutMs?: number } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0]!, argv.slice(1), { env: { ...process.env, ...options.env }, timeout: options.timeoutMs ?? 120_000 })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }))
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
  })
}

const env = (): Record<string, string> => ({ KUBECONFIG: inject('kubeconfig') })

/** Runs kubectl against the cluster of this run; gives its end, good or bad. */
export function tryKubectl(args: readonly string[], input?: string): Promise<Ended> {
  return run(['kubectl', ...args], { env: env(), ...(input === undefined ? {} : { input }) })
}

/** Runs kubectl and gives what it printed; fails the test, with what kubectl said, where it fails. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await tryKubectl(args, input)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`)
  return stdout
}

/** `kubectl get ... -o json`, parsed. */
export async function get<T>(...args: string[]): Promise<T> {
  return JSON.parse(await kubectl(['get', ...args, '-o', 'json'])) as T
}

/** Starts a kubectl that goes on running (watch, logs -f, port-forward). End it with kill(). */
export function startKubectl(args: readonly string[]): ChildProcessWithoutNullStreams & { output(): string } {
  const child = spawn('kubectl', args, { env: { ...process.env, ...env() } })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  return Object.assign(child, { output: () => text })
}

/** Whether there is a kubectl; the suites need one, and CI has it. */
export const hasKubectl = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0
