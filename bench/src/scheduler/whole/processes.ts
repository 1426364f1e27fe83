import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../../../..')
const launcher = path.join(root, 'packages/berth/bin/berth.js')
const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100

/** The stock scheduler, where this machine has one. */
export const kubeScheduler = [process.env['KUBEBUILDER_ASSETS'], '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')]
  .filter((place) => place !== undefined && place !== '').map((place) => path.join(place ?? '', 'kube-scheduler')).find((file) => fs.existsSync(file))

/** A program under measurement. */
export class Measured {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  constructor(argv: readonly string[], log: string) {
    const file = fs.openSync(log, 'w')
    this.#child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', file, file] })
    fs.closeSync(file)
    this.#ended = new Promise((resolve) => { this.#child.on('exit', () => resolve()).on('error', () => resolve()) })
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** User and system time of all its threads so far; seconds. */
  cpuSeconds(): number {
    const fields = fs.readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }

  /** Its resident memory now; MiB. */
  rssMiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]) / 1024
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await this.#ended
    clearTimeout(late)
  }
}

/** What the two schedulers are told alike: no limit on requests, no election. */
function configuration(file: string, kubeconfig: string, schedulerName: string): string {
  fs.writeFileSync(file, JSON.stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration', leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig, qps: 5000, burst: 5000 }, profiles: [{ schedulerName }],
  }))
  return file
}

export const contenders = ['berth', 'stock'] as const
export type Contender = (typeof contenders)[number]

/** Starts one of them against the API server of the kubeconfig. */
export function startScheduler(contender: Contender, kubeconfig: string, directory: string): Measured {
  const config = configuration(path.join(directory, `${contender}.json`), kubeconfig, contender)
  const own = [process.execPath, launcher, 'scheduler', '--config', config, '--secure-port', '0']
  return new Measured(contender === 'berth' ? own : [kubeScheduler ?? '', '--config', config, '--secure-port', '0'], path.join(directory, `${contender}.log`))
}

/** Starts Berth's API server on a data directory of its own. */
export function startApiServer(directory: string, port: number): Measured {
  const tokens = path.join(directory, 'tokens.csv')
  fs.writeFileSync(tokens, 'bench,bench,bench,"system:masters"\n')
  return new Measured([process.execPath, launcher, 'apiserver', '--data-dir', path.join(directory, 'data'), '--bind-address', '127.0.0.1', '--advertise-address', '192.0.2.1', '--secure-port', String(port), '--token-auth-file', tokens], path.join(directory, 'apiserver.log'))
}
