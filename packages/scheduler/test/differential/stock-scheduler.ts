import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startApiServer, type ApiServer } from '@berth/apiserver'
import { createClient, silentLogger, type KubeClient } from '@berth/kube'

/** The path of a stock kube-scheduler, where this machine has one. */
export const kubeScheduler = [process.env['KUBEBUILDER_ASSETS'], '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')]
  .filter((place) => place !== undefined && place !== '').map((place) => path.join(place ?? '', 'kube-scheduler')).find((file) => fs.existsSync(file))

/** Its minor version, such as 33; 0 without one. */
export function minorVersion(): number {
  if (kubeScheduler === undefined) return 0
  return Number(/v1\.(\d+)/.exec(spawnSync(kubeScheduler, ['--version'], { encoding: 'utf8' }).stdout)?.[1] ?? 0)
}

/** An API server in memory that also listens, for programs outside of this process. */
export interface ListeningServer {
  readonly server: ApiServer
  readonly client: KubeClient
  readonly kubeconfig: string
  readonly directory: string
  stop(): Promise<void>
}

export async function startListeningServer(): Promise<ListeningServer> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'berth-differential-'))
  fs.writeFileSync(path.join(directory, 'tokens.csv'), 'stock,system:kube-scheduler,stock\n')
  const server = await startApiServer({
    dataDir: path.join(directory, 'data'), storage: 'memory', bindAddress: '127.0.0.1', advertiseAddress: '192.0.2.1', securePort: 0, tokenAuthFile: path.join(directory, 'tokens.csv'), logger: silentLogger(),
  })
  await server.whenReady()
  const kubeconfig = path.join(directory, 'kubeconfig')
  fs.writeFileSync(kubeconfig, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${server.port}`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 'stock' } }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  }))
  return {
    server, kubeconfig, directory, client: createClient(server.loopback, { fieldManager: 'test' }),
    async stop() {
      await server.stop()
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A stock kube-scheduler that decides for pods which name it, all nodes scored. */
export interface StockScheduler {
  /** What it has logged so far. */
  log(): string
  /** What each plugin gave to each node for a pod, weighted; empty where it had nothing to choose from. */
  scores(pod: string): Record<string, Record<string, number>>
  /** Waits until it has said so, this often. */
  said(what: RegExp, times?: number): Promise<void>
  /** Forgets what it has logged so far. */
  forget(): void
  stop(): Promise<void>
}

export async function startStockScheduler({ kubeconfig, directory }: ListeningServer, schedulerName = 'stock'): Promise<StockScheduler> {
  const config = path.join(directory, `${schedulerName}.yaml`)
  fs.writeFileSync(config, JSON.stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', percentageOfNodesToScore: 100, leaderElection: { leaderElect: false },
    // Stock components ask in protobuf unless they are told not to.
    clientConnection: { kubeconfig, contentType: 'application/json', qps: 1000, burst: 1000 },
    profiles: [{ schedulerName }],
  }))
  const child = spawn(kubeScheduler ?? '', ['--config', config, '--secure-port', '0', '-v', '10'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { log += chunk })
  const ended = new Promise<void>((resolve) => { child.on('exit', () => resolve()) })
  const stock: StockScheduler = {
    log: () => log,
    scores(pod) {
      const found: Record<string, Record<string, number>> = {}
      for (const [, plugin = '', node = '', score] of log.matchAll(new RegExp(`"Plugin scored node for pod" pod="${pod}" plugin="([^"]+)" node="([^"]+)" score=(\\d+)`, 'g'))) (found[plugin] ??= {})[node] = Number(score)
      log = ''
      return found
    },
    async said(what, times = 1) {
      const all = new RegExp(what, 'g')
      for (const end = Date.now() + 20_000; (log.match(all)?.length ?? 0) < times;) {
        if (Date.now() > end) throw new Error(`kube-scheduler did not say ${what} ${times} times: ${log.slice(-2000)}`)
        await new Promise((resolve) => { setTimeout(resolve, 5) })
      }
    },
    forget() { log = '' },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
  await stock.said(/Handlers synced/)
  return stock
}
