import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueCertificate, silentLogger } from '@berth/kube'
import { kubeconfig } from '../../src/certificates/index.ts'
import { startApiServer } from '../../src/server.ts'
import type { ApiServer, StartOptions } from '../../src/server.ts'

/** An answer as a client sees it. */
export interface Answer {
  status: number
  body: unknown
  text: string
}

/** How to ask: a bearer token or a client certificate, further headers, a body. */
export interface Asking {
  token?: string
  cert?: { certificate: string, key: string }
  headers?: Record<string, string>
  body?: unknown
  method?: string
  /** Sends the path as it stands: a URL would resolve its dots. */
  rawPath?: boolean
}

/** A server of its own on a free port of the loopback interface, for one suite. */
export interface TestServer {
  readonly server: ApiServer
  readonly dir: string
  readonly url: string
  /** Sends a request over TLS. */
  ask(path: string, asking?: Asking): Promise<Answer>
  /** As a member of system:masters. */
  admin(path: string, asking?: Asking): Promise<Answer>
  /** A client certificate of the server's own authority. */
  certificateFor(commonName: string, ...organizations: string[]): Promise<{ certificate: string, key: string }>
  /** Writes a kubeconfig and gives its path. */
  kubeconfigFor(commonName: string, ...organizations: string[]): Promise<string>
  stop(): Promise<void>
}

export const adminToken = 'admin-token'

/** Starts one, in memory, with two users in a token file: admin (system:masters) and bob. */
export async function startTestServer(options: Partial<StartOptions> = {}): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'berth-apiserver-'))
  const tokenAuthFile = join(dir, 'tokens.csv')
  await writeFile(tokenAuthFile, `${adminToken},admin,1,"system:masters"\nbob-token,bob,2\n`)
  const server = await startApiServer({
    dataDir: join(dir, 'data'), storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, tokenAuthFile, kubeletPreferredAddressTypes: ['InternalIP'],
    logger: silentLogger(), ...options,
  })
  await server.whenReady()
  const url = `https://127.0.0.1:${server.port}`
  const ask = (path: string, asking: Asking = {}): Promise<Answer> => send(asking.rawPath ? url : url + path, server.certificates.servingCa, asking, asking.rawPath ? { path } : {})
  const certificateFor = (commonName: string, ...organizations: string[]): Promise<{ certificate: string, key: string }> => issueCertificate(server.certificates.authority, { commonName, organizations, usages: ['client'] })
  return {
    server, dir, url, ask, certificateFor,
    admin: (path, asking = {}) => ask(path, { token: adminToken, ...asking }),
    async kubeconfigFor(commonName, ...organizations) {
      const path = join(dir, `${commonName.replaceAll(':', '_')}.conf`)
      await writeFile(path, kubeconfig({ server: url, ca: server.certificates.servingCa, user: commonName, client: await certificateFor(commonName, ...organizations) }), { mode: 0o600 })
      return path
    },
    async stop() {
      await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function send(url: string, ca: string, asking: Asking, more: { path?: string }): Promise<Answer> {
  const body = asking.body === undefined ? undefined : JSON.stringify(asking.body)
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, {
      ...more,
      method: asking.method ?? (body === undefined ? 'GET' : 'POST'), ca, agent: false, ...(asking.cert && { cert: asking.cert.certificate, key: asking.cert.key }),
      headers: { ...(asking.token && { authorization: `Bearer ${asking.token}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...asking.headers },
    }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', reject)
      response.on('data', (chunk: string) => { text += chunk })
      response.on('end', () => {
        let parsed: unknown
        try { parsed = JSON.parse(text) } catch { parsed = undefined }
        resolve({ status: response.statusCode ?? 0, body: parsed, text })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** kubectl's path, or undefined with the reason printed. */
export function findKubectl(): string | undefined {
  try {
    return execFileSync('which', ['kubectl'], { encoding: 'utf8' }).trim()
  } catch {
    console.log('skipped: kubectl is not installed')
    return undefined
  }
}

/** Runs kubectl to its end; `input` goes to its stdin. */
export function kubectl(config: string, args: readonly string[], options: { input?: string, env?: Record<string, string> } = {}): Promise<{ code: number, stdout: string, stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile('kubectl', ['--kubeconfig', config, ...args], { encoding: 'utf8', timeout: 60_000, env: { ...process.env, HOME: '/nonexistent', ...options.env } }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr })
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.input ?? '')
  })
}

/** Starts kubectl and leaves it running. */
export function spawnKubectl(config: string, args: readonly string[]): ReturnType<typeof spawn> {
  return spawn('kubectl', ['--kubeconfig', config, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: '/nonexistent' } })
}
