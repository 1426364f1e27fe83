// etcd for tests: real processes of their own, each with its data in a directory that goes with it.
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { etcdClient } from '../../src/storage/etcd/client.ts'

/** Another etcd than the one in PATH. */
const binary = process.env['BERTH_ETCD'] ?? 'etcd'

/** Why suites that need etcd are skipped; undefined where it is there. */
export const etcdMissing = spawnSync(binary, ['--version']).status === 0 ? undefined : `${binary} is not installed`
if (etcdMissing !== undefined) console.log(`skipped: ${etcdMissing}`)

export interface RunningEtcd {
  /** As --etcd-servers takes it. */
  readonly server: string
  readonly dataDir: string
  kill(signal: NodeJS.Signals): void
  /** Resolves once the process is gone. */
  readonly ended: Promise<unknown>
  /** On the same data and port, after it has ended. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** A free port of the loopback interface. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** PEM files that etcd and its clients show each other, and the authority of both. */
export interface TlsFiles { caFile: string, certFile: string, keyFile: string }

/** Starts one; resolves once it answers. `wrap` may put another program before it (strace). */
export async function startEtcd(options: { dataDir?: string, wrap?: readonly string[], tls?: TlsFiles } = {}): Promise<RunningEtcd> {
  const root = await mkdtemp(join(tmpdir(), 'berth-etcd-'))
  const dataDir = options.dataDir ?? join(root, 'data')
  const [client, peer] = [await freePort(), await freePort()]
  const { tls } = options
  const server = `${tls ? 'https' : 'http'}://127.0.0.1:${client}`
  const peerUrl = `http://127.0.0.1:${peer}`
  const args = [
    ...options.wrap ?? [], binary, '--name=test', `--data-dir=${dataDir}`, `--listen-client-urls=${server}`, `--advertise-client-urls=${server}`,
    `--listen-peer-urls=${peerUrl}`, `--initial-advertise-peer-urls=${peerUrl}`, `--initial-cluster=test=${peerUrl}`, '--logger=zap', '--log-level=error',
    ...(tls ? [`--trusted-ca-file=${tls.caFile}`, `--cert-file=${tls.certFile}`, `--key-file=${tls.keyFile}`, '--client-cert-auth'] : []),
  ]
  let child: ChildProcess | undefined
  let ended: Promise<unknown> = Promise.resolve()
  const open = async (): Promise<void> => {
    const started = spawn(args[0] ?? '', args.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...(process.arch === 'arm64' && { ETCD_UNSUPPORTED_ARCH: 'arm64' }) } })
    child = started
    let said = ''
    started.stderr.on('data', (chunk: Buffer) => { said = (said + chunk.toString()).slice(-2000) })
    ended = once(started, 'exit')
    const probe = etcdClient({ servers: [server], ...tls })
    try {
      for (const deadline = Date.now() + 60_000; ;) {
        try {
          await probe.range({ key: 'health' }, 2_000)
          return
        } catch (error) {
          if (Date.now() > deadline || started.exitCode !== null) throw new Error(`etcd does not answer: ${said}`, { cause: error })
        }
      }
    } finally {
      probe.close()
    }
  }
  try {
    await open()
  } catch (error) {
    child?.kill('SIGKILL')
    await rm(root, { recursive: true, force: true })
    throw error
  }
  return {
    server, dataDir,
    kill: (signal) => { child?.kill(signal) },
    get ended() { return ended },
    restart: open,
    async stop() {
      if (child && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await ended
      }
      await rm(root, { recursive: true, force: true })
    },
  }
}
