// API servers for tests: within this process, and as a process that can be killed.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { silentLogger } from '@berth/kube'
import { startApiServer } from '../../src/index.ts'
import type { ApiServer, StartOptions } from '../../src/index.ts'

export const adminToken = 'admin-token'
export const userToken = 'user-token'

/** A directory of its own, with a token file for an administrator and for somebody without rights. */
export async function temporary(): Promise<{ path: string, tokenFile: string, remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'berth-apiserver-'))
  const tokenFile = join(path, 'tokens.csv')
  await writeFile(tokenFile, `${adminToken},admin,admin,"system:masters"\n${userToken},bob,bob\n`)
  return { path, tokenFile, remove: () => rm(path, { recursive: true, force: true }) }
}

/** A server in this process. */
export async function start(options: Partial<StartOptions> = {}): Promise<{ server: ApiServer, send: Send, stop(): Promise<void> }> {
  const directory = await temporary()
  const server = await startApiServer({
    dataDir: join(directory.path, 'data'), securePort: 0, bindAddress: '127.0.0.1', storage: 'memory', tokenAuthFile: directory.tokenFile, logger: silentLogger(), ...options,
  })
  await server.whenReady()
  return {
    server, send: sender(server.port),
    async stop() {
      await server.stop()
      await directory.remove()
    },
  }
}

/** What a server in a process of its own uses, in bytes, after its garbage was collected. */
export interface MemoryUse { rss: number, heapUsed: number, external: number }

/** A server in a process of its own. `logged` is given each line of its log; `settings` are startApiServer's. */
export async function spawnServer(directory: { path: string, tokenFile: string }, options: { logged?: (line: string) => void, settings?: Partial<StartOptions> } = {}): Promise<{ process: ChildProcess, port: number, memory(): Promise<MemoryUse> }> {
  const child = spawn(process.execPath, ['--expose-gc', new URL('./serve.ts', import.meta.url).pathname, join(directory.path, 'data'), directory.tokenFile, JSON.stringify(options.settings ?? {})], {
    stdio: ['ignore', 'pipe', options.logged ? 'pipe' : 'ignore', 'ipc'],
  })
  const { logged } = options
  if (logged && child.stderr) createInterface({ input: child.stderr }).on('line', logged)
  const memory = (): Promise<MemoryUse> => new Promise((resolve) => {
    child.once('message', (use) => resolve(use as MemoryUse))
    child.send('memory')
  })
  if (!child.stdout) throw new Error('the server has no standard output')
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /^port (\d+)$/.exec(line)?.[1]
    if (port !== undefined) return { process: child, port: Number(port), memory }
  }
  throw new Error('the server ended before it was ready')
}

export interface Answer { status: number, headers: Record<string, string | string[] | undefined>, text: string, body: Json }
/** A parsed answer, to be looked into freely. */
export type Json = { [key: string]: Json } & { [index: number]: Json } & string & number
export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

/** Sends requests as the administrator. Rejects when there is no answer. */
export function sender(port: number, agent: https.Agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false })): Send {
  return (method, path, body, headers = {}) => new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    const request = https.request({
      host: '127.0.0.1', port, path, method, agent,
      headers: { authorization: `Bearer ${adminToken}`, accept: 'application/json', ...(payload !== undefined && { 'content-type': 'application/json' }), ...(payload !== undefined && !headers['transfer-encoding'] && { 'content-length': Buffer.byteLength(payload) }), ...headers },
    }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        let parsed = {} as Json
        try {
          parsed = JSON.parse(text) as Json
        } catch {
          // Not JSON: `text` has it.
        }
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed })
      })
    })
    request.on('error', reject)
    request.end(payload)
  })
}

export const configMap = (name: string, data: Record<string, string> = {}): unknown => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
