import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StartOptions } from '../../src/server.ts'
import type { Json } from './harness.ts'
import { findKubectl, startTestServer, type TestServer } from './server.ts'

/** Whether kubectl's suites can run; says why not where they cannot. */
export const hasKubectl = findKubectl() !== undefined

export interface Ended { readonly code: number, readonly stdout: string, readonly stderr: string }

export interface CliOptions {
  readonly input?: string
  readonly env?: Record<string, string>
}

/** kubectl on an API server of its own. Command lines are words between blanks; single quotes keep blanks together. */
export interface Cli {
  readonly under: TestServer
  /** The administrator's kubeconfig. */
  readonly config: string
  /** Runs a command to its end, good or bad. */
  end(line: string, options?: CliOptions): Promise<Ended>
  /** Gives its standard output. Rejects with what it said where it fails. */
  ok(line: string, options?: CliOptions): Promise<string>
  /** `kubectl get … -o json`. */
  get(line: string): Promise<Json>
  /** Writes a file of the test's own; gives its path. */
  file(name: string, text: string): Promise<string>
  stop(): Promise<void>
}

/** Starts both. The account that pods run as is there, which no controller makes here. */
export async function startCli(options: Partial<StartOptions> = {}): Promise<Cli> {
  const under = await startTestServer(options)
  const config = await under.kubeconfigFor('admin', 'system:masters')
  const end: Cli['end'] = (line, more = {}) => new Promise((resolve) => {
    const env = { ...process.env, HOME: under.dir, TMPDIR: under.dir, KUBECONFIG: config, ...more.env }
    const child = execFile('kubectl', words(line), { encoding: 'utf8', timeout: 90_000, env, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr })
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(more.input ?? '')
  })
  const ok: Cli['ok'] = async (line, more) => {
    const { code, stdout, stderr } = await end(line, more)
    if (code !== 0) throw new Error(`kubectl ${line}: exit code ${code}: ${stderr.trim()}`)
    return stdout
  }
  await ok('create serviceaccount default')
  return {
    under, config, end, ok,
    get: async (line) => JSON.parse(await ok(`get ${line} -o json`)) as Json,
    async file(name, text) {
      const path = join(under.dir, name)
      await writeFile(path, text, { mode: 0o755 })
      return path
    },
    stop: () => under.stop(),
  }
}

/** The words of a command line; what single quotes enclose, anywhere in a word, is taken as it is. */
export function words(line: string): string[] {
  return (line.match(/(?:'[^']*'|[^\s'])+/g) ?? []).map((word) => word.replaceAll(/'([^']*)'/g, '$1'))
}
