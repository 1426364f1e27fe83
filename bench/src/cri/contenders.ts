import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { type CriClient, createCriClient } from '@berth/cri'
import { nativeBinary } from '@berth/native'
import { importBusybox, type TestEngine, until } from '../../../packages/cri-docker/test/support/engine.ts'

/** A CRI runtime that is measured. */
export interface Contender {
  name: string
  client: CriClient
  image: string
  /** Process ids whose memory and CPU are the runtime's own (the shim), and those of the engine below it. */
  shim: number[]
  engine: number[]
  stop(): Promise<void>
}

/** Where a peer's program is, or undefined. */
function find(name: string): string | undefined {
  const folders = [process.env['KUBEBUILDER_ASSETS'] ?? '', '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}

function start(directory: string, name: string, program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  const log = createWriteStream(join(directory, `${name}.log`))
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  return child
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill('SIGTERM')
  })
}

async function clientOf(socket: string): Promise<CriClient> {
  const client = createCriClient(`unix://${socket}`)
  await until(async () => (await client.status({}).catch(() => undefined))?.status?.conditions.every(({ status }) => status) ?? false, `${socket} is ready`)
  return client
}

/** Every contender gets a bridge of its own, so that they do not share an address file. */
function writeNetwork(directory: string, name: string, subnet: number): { conf: string; bridge: string } {
  const conf = join(directory, `cni-${name}`)
  const bridge = `bb${process.pid}n${subnet}`.slice(-15)
  mkdirSync(conf, { recursive: true })
  const plugin = { type: 'bridge', bridge, isGateway: true, ipam: { type: 'host-local', subnet: `10.${subnet}.0.0/16`, dataDir: join(directory, `ipam-${name}`) } }
  writeFileSync(join(conf, '10-bench.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: `bench-${name}`, plugins: [plugin] }))
  return { conf, bridge }
}

function removeBridge(bridge: string): void {
  try {
    execFileSync('ip', ['link', 'del', bridge], { stdio: 'ignore' })
  } catch {
    // No pod was attached.
  }
}

const image = 'bench.test/busybox:1'

async function onEngine(engine: TestEngine): Promise<number[]> {
  await importBusybox(engine.docker, image)
  const pids = execFileSync('pgrep', ['-f', engine.directory], { encoding: 'utf8' }).trim().split('\n').map(Number)
  return pids.filter((pid) => ['dockerd', 'containerd'].includes(commandOf(pid)))
}

function commandOf(pid: number): string {
  try {
    return execFileSync('cat', [`/proc/${pid}/comm`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return ''
  }
}

/** berth cri-docker as people run it. */
export async function startOurs(engine: TestEngine): Promise<Contender> {
  const { directory } = engine
  const { conf, bridge } = writeNetwork(directory, 'berth', 201)
  const socket = join(directory, 'berth.sock')
  // As it is installed: the bundle, where one was built, and the unit's NODE_OPTIONS.
  const launcher = process.env['BERTH_LAUNCHER'] ?? resolve(import.meta.dirname, '../../../packages/berth/bin/berth.js')
  const flags = ['--docker-host', `unix://${engine.socket}`, '--container-runtime-endpoint', `unix://${socket}`, '--cni-conf-dir', conf, '--cni-bin-dir', '/usr/lib/cni', '--cni-cache-dir', join(directory, 'cache-berth')]
  const child = start(directory, 'berth', process.execPath, [launcher, 'cri-docker', ...flags, '--root-dir', join(directory, 'berth'), '--metrics-bind-address', ''], { NODE_OPTIONS: '--max-semi-space-size=2' })
  const client = await clientOf(socket)
  return {
    name: 'berth',
    client,
    image,
    shim: [child.pid ?? 0],
    engine: await onEngine(engine),
    async stop() {
      client.close()
      await end(child)
      removeBridge(bridge)
    },
  }
}

/** cri-dockerd on an Engine like ours; undefined where it is not installed. */
export async function startCriDockerd(engine: TestEngine): Promise<Contender | undefined> {
  const program = find('cri-dockerd')
  if (!program) return undefined
  const { directory } = engine
  const { conf, bridge } = writeNetwork(directory, 'dockerd', 202)
  const socket = join(directory, 'cri-dockerd.sock')
  const pause = 'bench.test/pause:1'
  await importPause(engine, pause)
  const flags = ['--container-runtime-endpoint', `unix://${socket}`, '--docker-endpoint', `unix://${engine.socket}`, '--network-plugin', 'cni', '--cni-conf-dir', conf, '--cni-bin-dir', '/usr/lib/cni']
  const child = start(directory, 'cri-dockerd', program, [...flags, '--cni-cache-dir', join(directory, 'cache-dockerd'), '--cri-dockerd-root-directory', join(directory, 'cri-dockerd'), '--pod-infra-container-image', pause])
  const client = await clientOf(socket)
  return {
    name: 'cri-dockerd',
    client,
    image,
    shim: [child.pid ?? 0],
    engine: await onEngine(engine),
    async stop() {
      client.close()
      await end(child)
      removeBridge(bridge)
    },
  }
}

/**
 * The Engine's configuration for cri-dockerd: it gives sandboxes the OOM score -998, which a machine without CAP_SYS_RESOURCE cannot; there a wrapper around runc raises it.
 */
export function engineForCriDockerd(directory: string): object {
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`)
  if ((capabilities & (1n << 24n)) !== 0n) return {}
  const wrapper = join(directory, 'runc')
  const script = ['#!/bin/sh', 'for word in "$@"; do', '  [ "$before" = --bundle ] && bundle=$word', '  before=$word', 'done', `[ -n "$bundle" ] && sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$bundle/config.json"`, 'exec runc "$@"', '']
  writeFileSync(wrapper, script.join('\n'), { mode: 0o755 })
  return { runtimes: { bench: { path: wrapper } }, 'default-runtime': 'bench' }
}

async function importPause(engine: TestEngine, name: string): Promise<void> {
  const folder = join(engine.directory, 'pause-root')
  mkdirSync(folder, { recursive: true })
  execFileSync('cp', [nativeBinary(), join(folder, 'pause')])
  const [repo, tag] = name.split(/:(?=[^/:]*$)/)
  const tar = spawn('tar', ['-C', folder, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const answer = await engine.docker.importImage(tar.stdout as unknown as string, { fromSrc: '-', repo, tag, changes: ['ENTRYPOINT ["/pause","pause"]'] })
  await new Promise<void>((done, failed) => engine.docker.modem.followProgress(answer, (error) => (error ? failed(error) : done())))
}

/** containerd's own CRI, with its images taken from an Engine; undefined where the plugin is not built in. */
export async function startContainerd(engine: TestEngine): Promise<Contender | undefined> {
  const program = find('containerd')
  const ctr = find('ctr')
  if (!program || !ctr) return undefined
  const directory = join(engine.directory, 'containerd-cri')
  mkdirSync(directory)
  const { conf, bridge } = writeNetwork(directory, 'containerd', 203)
  const socket = join(directory, 'containerd.sock')
  const pause = 'bench.test/pause:1'
  const lines = [
    ...['version = 2', `root = ${JSON.stringify(join(directory, 'root'))}`, `state = ${JSON.stringify(join(directory, 'state'))}`, 'oom_score = 0', '[grpc]', `  address = ${JSON.stringify(socket)}`],
    ...['[plugins."io.containerd.grpc.v1.cri"]', `  sandbox_image = "${pause}"`, '  restrict_oom_score_adj = true', '  disable_apparmor = true', '  stream_server_port = "0"'],
    ...['[plugins."io.containerd.grpc.v1.cri".cni]', '  bin_dir = "/usr/lib/cni"', `  conf_dir = ${JSON.stringify(conf)}`],
  ]
  writeFileSync(join(directory, 'config.toml'), `${lines.join('\n')}\n`)
  const child = start(directory, 'containerd-cri', program, ['--config', join(directory, 'config.toml')])
  await until(() => existsSync(socket), 'containerd listens')
  await importBusybox(engine.docker, image)
  await importPause(engine, pause)
  for (const name of [image, pause]) {
    const archive = join(directory, 'image.tar')
    await save(engine, name, archive)
    execFileSync(ctr, ['--address', socket, '-n', 'k8s.io', 'images', 'import', archive], { stdio: 'ignore' })
  }
  const client = await clientOf(socket)
  return {
    name: 'containerd',
    client,
    image,
    shim: [],
    engine: [child.pid ?? 0],
    async stop() {
      client.close()
      await end(child)
      removeBridge(bridge)
    },
  }
}

async function save(engine: TestEngine, name: string, path: string): Promise<void> {
  const stream = await engine.docker.getImage(name).get()
  await new Promise<void>((done, failed) => stream.pipe(createWriteStream(path)).on('finish', done).on('error', failed))
}
