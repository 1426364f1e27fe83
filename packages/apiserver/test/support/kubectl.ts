import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@berth/kube'
import { startApiServer } from '../../src/index.ts'
import type { ApiServer } from '../../src/index.ts'
import { findKubectl } from './server.ts'

/** Why kubectl's suites are skipped; undefined where it is there. */
export const kubectlMissing = findKubectl() === undefined

/** kubectl as an administrator of an API server in this process, which keeps its data over a restart. */
export interface Kubectl {
  /** Its standard output. Rejects with what it said where it fails. */
  ok(args: readonly string[], stdin?: string): Promise<string>
  /** What it said on failing. Rejects where it succeeds. */
  fails(args: readonly string[], stdin?: string): Promise<string>
  restart(): Promise<void>
  stop(): Promise<void>
  readonly server: ApiServer
}

export async function startKubectl(): Promise<Kubectl> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-kubectl-'))
  const tokens = join(directory, 'tokens.csv')
  await writeFile(tokens, 'admin-token,admin,admin,"system:masters"\n')
  const open = async (port: number): Promise<ApiServer> => {
    const server = await startApiServer({ dataDir: join(directory, 'data'), securePort: port, bindAddress: '127.0.0.1', tokenAuthFile: tokens, logger: silentLogger() })
    await server.whenReady()
    return server
  }
  let server = await open(0)
  const { port } = server
  const flags = [`--server=https://127.0.0.1:${port}`, '--insecure-skip-tls-verify', '--token=admin-token', `--cache-dir=${join(directory, 'cache')}`]
  const run = (args: readonly string[], stdin: string): Promise<{ code: number, out: string, err: string }> => new Promise((resolve, reject) => {
    const child = spawn(findKubectl() ?? 'kubectl', [...flags, ...args], { stdio: 'pipe', env: { ...process.env, KUBECONFIG: '/dev/null' } })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => { out += String(chunk) })
    child.stderr.on('data', (chunk) => { err += String(chunk) })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, out, err }))
    child.stdin.end(stdin)
  })
  return {
    get server() { return server },
    async ok(args, stdin = '') {
      const { code, out, err } = await run(args, stdin)
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err.trim()}`)
      return out
    },
    async fails(args, stdin = '') {
      const { code, err } = await run(args, stdin)
      if (code === 0) throw new Error(`kubectl ${args.join(' ')} succeeded`)
      return err
    },
    async restart() {
      await server.stop()
      server = await open(port)
    },
    async stop() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
