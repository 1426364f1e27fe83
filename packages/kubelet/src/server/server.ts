import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { readFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import { refuseUpgrade } from '@berth/streaming'
import { messageOf } from '../errors.ts'
import type { KubeletOptions } from '../kubelet.ts'
import type { KubeletMetrics } from '../metrics.ts'
import { latestContainer } from '../runtime/records.ts'
import type { WorkerContext } from '../workers/context.ts'
import type { PodManager } from '../workers/manager.ts'
import type { Pleg } from '../workers/pleg.ts'
import { createGate } from './authentication.ts'
import { containerLogs } from './container-logs.ts'
import { flagParam, HttpError, type RouteRequest, sendJson, sendText } from './http.ts'
import { servingCertificate } from './serving-certificate.ts'
import { createStatsCollector, type StatsCollector } from '../stats/collector.ts'
import { expositionType } from '../stats/exposition.ts'
import { cpuAndMemory, summaryJson } from '../stats/summary.ts'
import { streamingUpgrade } from './streaming.ts'

export interface KubeletServer {
  readonly port: number
  close(): Promise<void>
}

interface ServerInput { context: WorkerContext; pods: PodManager; metrics: KubeletMetrics; options: KubeletOptions; pleg: Pleg }

/** The runtime must have answered a relist within this time for the kubelet to be healthy, as upstream's PLEG check. */
const relistThresholdMs = 3 * 60 * 1000

const refused: Record<string, string> = {
  logs: 'logs endpoint is disabled.',
  debug: 'profiling endpoint is disabled.',
  checkpoint: 'checkpointing containers is not served.',
}

const streamed = new Set(['exec', 'attach', 'portForward'])

/** Starts the server on 10250 (TLS, every request authenticated and authorized) and the local healthz server. */
export async function startServer(input: ServerInput): Promise<KubeletServer> {
  const { context, options } = input
  const { settings, client, logger } = context
  const { cert, key } = options.serving ?? (await servingCertificate({
    rootDir: settings.rootDir, nodeName: settings.nodeName, addresses: context.hostIps(), certFile: settings.tlsCertFile, keyFile: settings.tlsPrivateKeyFile,
  }))
  const ca = options.clientCa ?? (settings.clientCaFile ? await readFile(settings.clientCaFile, 'utf8') : undefined)
  const stats = createStatsCollector(context, input.pods)
  const gate = createGate(client, settings, () => context.clock.now())

  /** Undefined when the request may go on; else the answer. */
  const refusal = async (request: IncomingMessage): Promise<HttpError | undefined> => {
    try {
      const user = await gate.authenticate(request)
      if (!user) return new HttpError(401, 'Unauthorized')
      const why = await gate.authorize(user, request)
      return why === undefined ? undefined : new HttpError(403, why)
    } catch (error) {
      logger.error(error, 'Unable to authenticate or authorize the request')
      return new HttpError(500, `Authorization error: ${messageOf(error)}`)
    }
  }
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const no = await refusal(request)
      if (no) throw no
      const url = new URL(request.url ?? '/', 'https://kubelet')
      await route(input, stats, { request, response, url, parts: url.pathname.split('/').filter((p) => p !== '').map(decodeURIComponent) })
    } catch (error) {
      if (response.headersSent) return void response.destroy()
      const status = error instanceof HttpError ? error.status : 500
      if (status === 500) logger.error(error, 'Request failed', { path: request.url })
      sendText(response, status, `${messageOf(error)}\n`)
    }
  }
  // An upgraded connection is the server's no more: neither closeAllConnections nor close know it, but close waits for it.
  const upgraded = new Set<Duplex>()
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    upgraded.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => upgraded.delete(socket))
    try {
      const no = await refusal(request)
      if (no) throw no
      const first = (request.url ?? '/').split(/[/?]/)[1] ?? ''
      if (!streamed.has(first)) throw new HttpError(404, '404 page not found')
      await streamingUpgrade(context, input.pods, request, socket, head)
    } catch (error) {
      refuseUpgrade(socket, error instanceof HttpError ? error.status : 500, messageOf(error))
    }
  }

  const server = createServer({ cert, key, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'], ...(ca ? { ca, requestCert: true, rejectUnauthorized: false } : {}) }, (request, response) => void handle(request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(request, socket, head))
  server.on('tlsClientError', () => {})
  const port = await listen(server, settings.address, settings.port)
  const health = settings.healthzPort > 0 ? createHttpServer((request, response) => void healthz(input, request, response)) : undefined
  if (health) await listen(health, settings.healthzAddress, settings.healthzPort)
  return {
    port,
    close: async () => {
      upgraded.forEach((socket) => socket.destroy())
      for (const s of [server, health]) {
        s?.closeAllConnections()
        await new Promise<void>((resolve) => (s ? s.close(() => resolve()) : resolve()))
      }
    },
  }
}

function listen(server: Pick<Server, 'listen' | 'once' | 'address' | 'off'>, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function healthProblem({ pleg, context }: ServerInput): string | undefined {
  const last = pleg.lastRelist()
  if (last === 0) return undefined
  const silent = context.clock.now() - last
  return silent > relistThresholdMs ? `pleg was last seen active ${Math.round(silent / 1000)}s ago; threshold is 3m0s` : undefined
}

function healthz(input: ServerInput, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0]
  if (path !== '/healthz' && path !== '/healthz/ping' && path !== '/healthz/syncloop') return sendText(response, 404, '404 page not found\n')
  const problem = path === '/healthz/ping' ? undefined : healthProblem(input)
  sendText(response, problem ? 500 : 200, problem ? `[-]syncloop failed: ${problem}\nhealthz check failed\n` : 'ok')
}

async function route(input: ServerInput, stats: StatsCollector, r: RouteRequest): Promise<void> {
  const { context, pods, metrics } = input
  const { parts, response, request } = r
  const [first = '', second] = parts
  const why = refused[first]
  if (why) throw new HttpError(405, why)
  if (streamed.has(first)) throw new HttpError(400, 'Upgrade request required')
  if (first === 'run') return run(context, pods, r)
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpError(405, '405: Method Not Allowed')
  switch (first) {
    case 'healthz': return healthz(input, request, response)
    case 'pods': return sendJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods.list().map((p) => ({ ...p, status: context.statuses.get(p.metadata.uid ?? '') ?? p.status })) })
    case 'configz': return sendJson(response, { kubeletconfig: input.options.config ?? {} })
    case 'containerLogs': return containerLogs(context, pods, r)
    case 'stats':
      if (second === 'summary') {
        const summary = await stats.summary()
        return sendText(response, 200, summaryJson(flagParam(r.url, 'only_cpu_and_memory') ? cpuAndMemory(summary) : summary), 'application/json')
      }
      break
    case 'metrics':
      if (second === undefined) return sendText(response, 200, await metrics.registry.metrics(), metrics.registry.contentType)
      if (second === 'resource') return sendText(response, 200, await stats.resourceMetrics(), expositionType)
      if (second === 'cadvisor') return sendText(response, 200, await stats.cadvisorMetrics(), expositionType)
      if (second === 'probes') return sendText(response, 200, await metrics.registry.getSingleMetricAsString('prober_probe_total'), metrics.registry.contentType)
      break
  }
  throw new HttpError(404, '404 page not found')
}

/** POST /run/{namespace}/{pod}[/{uid}]/{container}?cmd=…: runs a command and answers with its output. */
async function run(context: WorkerContext, pods: PodManager, { parts, request, response, url }: RouteRequest): Promise<void> {
  if (request.method !== 'POST') throw new HttpError(405, '405: Method Not Allowed')
  const [, namespace, name] = parts
  const container = parts.at(-1) ?? ''
  const pod = pods.list().find((p) => p.metadata.namespace === namespace && p.metadata.name === name)
  if (!pod || parts.length < 4) throw new HttpError(404, 'pod does not exist')
  const record = latestContainer(await context.runtime.read(pod.metadata.uid ?? ''), container)
  if (!record) throw new HttpError(404, `container not found ("${container}")`)
  const cmd = (url.searchParams.get('cmd') ?? '').split(' ').filter((w) => w !== '')
  const { stdout, stderr } = await context.cri.execSync({ containerId: record.id, cmd, timeout: 0n })
  sendText(response, 200, Buffer.concat([stdout, stderr]).toString('utf8'))
}
