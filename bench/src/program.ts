import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100

/** A program of the field: in `$KUBEBUILDER_ASSETS`, `/usr/local/kubebuilder/bin` or `PATH`. */
export function findProgram(name: string): string | undefined {
  return [process.env['KUBEBUILDER_ASSETS'], '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')]
    .filter((place) => place !== undefined && place !== '').map((place) => path.join(place ?? '', name)).find((file) => fs.existsSync(file))
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** One process under measurement. */
export class Program {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  readonly #log: string

  constructor(argv: readonly string[], log: string, env: Record<string, string> = {}) {
    const file = fs.openSync(log, 'w')
    this.#log = log
    this.#child = spawn(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', file, file], env: { ...process.env, ...env } })
    fs.closeSync(file)
    this.#ended = new Promise((resolve) => { this.#child.on('exit', () => resolve()).on('error', () => resolve()) })
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The end of what it has written. */
  said(): string {
    return fs.readFileSync(this.#log, 'utf8').slice(-2000)
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
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000)
    await this.#ended
    clearTimeout(late)
  }
}
