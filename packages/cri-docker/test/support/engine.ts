import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { pack } from 'tar-stream'

/** A private containerd and dockerd below a directory of their own; nothing of the machine's network, and no other Engine, is touched. */
export interface TestEngine {
  directory: string
  socket: string
  docker: Docker
  /** Kills dockerd as a crash would (containers live on), and starts it again. */
  killDockerd(): Promise<void>
  startDockerd(): Promise<void>
  /** Removes all containers, ends both daemons, and removes the directory. */
  stop(): Promise<void>
}

/** Why an Engine cannot be started here, or ''. */
export function engineMissing(): string {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of ['dockerd', 'containerd', 'runc']) {
    try {
      execFileSync('which', [program], { stdio: 'ignore' })
    } catch {
      return `needs ${program}`
    }
  }
  return existsSync('/bin/busybox') ? '' : 'needs /bin/busybox'
}

/** What an Engine is started with besides the usual. */
export interface EngineOptions {
  /** daemon.json. */
  configuration?: object
  /** Added to dockerd's environment. */
  environment?: Readonly<Record<string, string>>
}

export async function startEngine({ configuration = {}, environment = {} }: EngineOptions = {}): Promise<TestEngine> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-engine-'))
  const socket = join(directory, 'docker.sock')
  const containerdSocket = join(directory, 'containerd.sock')
  writeFileSync(
    join(directory, 'containerd.toml'),
    [
      'version = 2',
      `root = ${JSON.stringify(join(directory, 'containerd'))}`,
      `state = ${JSON.stringify(join(directory, 'containerd-state'))}`,
      'oom_score = 0',
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `  address = ${JSON.stringify(containerdSocket)}`,
      '',
    ].join('\n'),
  )
  writeFileSync(join(directory, 'daemon.json'), JSON.stringify(configuration))
  const containerd = daemon(directory, 'containerd', ['--config', join(directory, 'containerd.toml')])
  await until(() => existsSync(containerdSocket), 'containerd listens')
  const docker = new Docker({ socketPath: socket })
  let dockerd: ChildProcess | undefined
  const engine: TestEngine = {
    directory,
    socket,
    docker,
    async startDockerd() {
      dockerd = daemon(directory, 'dockerd', [
        ...['--config-file', join(directory, 'daemon.json'), '--containerd', containerdSocket],
        ...['--data-root', join(directory, 'docker'), '--exec-root', join(directory, 'exec'), '--pidfile', join(directory, 'docker.pid')],
        ...['-H', `unix://${socket}`, '--live-restore', '--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'],
        ...['--userland-proxy=false', '--oom-score-adjust=0', '--exec-opt', 'native.cgroupdriver=cgroupfs'],
      ], environment)
      await until(() => docker.ping().then(() => true, () => false), 'dockerd answers')
    },
    async killDockerd() {
      await ended(dockerd, 'SIGKILL')
      rmSync(join(directory, 'docker.pid'), { force: true })
    },
    async stop() {
      if (!(await docker.ping().catch(() => undefined))) await engine.startDockerd()
      for (const { Id } of await docker.listContainers({ all: true })) await docker.getContainer(Id).remove({ force: true, v: true }).catch(() => {})
      await ended(dockerd, 'SIGTERM')
      await ended(containerd, 'SIGTERM')
      unmountBelow(directory)
      removeCgroups(testCgroup)
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  await engine.startDockerd()
  return engine
}

/** Makes an image whose only program is busybox, with its applets as hard links in /bin. */
export async function importBusybox(docker: Docker, name: string, changes: string[] = []): Promise<void> {
  const tar = pack()
  const applets = execFileSync('/bin/busybox', ['--list']).toString().trim().split('\n')
  for (const directory of ['bin', 'tmp', 'etc', 'proc', 'sys', 'dev', 'root', 'var', 'home']) tar.entry({ name: `${directory}/`, type: 'directory', mode: directory === 'tmp' ? 0o1777 : 0o755 })
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync('/bin/busybox'))
  for (const applet of applets) if (applet !== 'busybox') tar.entry({ name: `bin/${applet}`, type: 'link', linkname: 'bin/busybox', mode: 0o755 })
  tar.entry({ name: 'etc/passwd' }, 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\nweb:x:1000:1000:web:/home:/bin/sh\n')
  tar.entry({ name: 'etc/group' }, 'root:x:0:\nnobody:x:65534:\nweb:x:1000:\nextra:x:2000:web\n')
  tar.finalize()
  const [repo, tag = 'latest'] = name.split(/:(?=[^/:]*$)/)
  const stream = await docker.importImage(tar as unknown as string, { fromSrc: '-', repo, tag, changes })
  await new Promise<void>((resolve, reject) => docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve())))
}

/** Waits for a condition, asking often; throws after half a minute. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`timed out waiting until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

function daemon(directory: string, program: string, args: string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  mkdirSync(directory, { recursive: true })
  const log = createWriteStream(join(directory, `${program}.log`), { flags: 'a' })
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  return child
}

function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

/** The cgroup below which this run's pods are. */
export const testCgroup = `/berth-test-${process.pid}`

function removeCgroups(path: string): void {
  const remove = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) remove(join(directory, entry.name))
    rmdirSync(directory)
  }
  const mount = '/sys/fs/cgroup'
  for (const directory of [mount, ...readdirSync(mount).map((name) => join(mount, name))]) if (existsSync(join(directory, path))) remove(join(directory, path))
}

function unmountBelow(directory: string): void {
  const targets = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '')
  for (const target of targets.filter((path) => path.startsWith(`${directory}/`)).toReversed()) {
    try {
      execFileSync('umount', ['-l', target], { stdio: 'ignore' })
    } catch {
      // Gone with another one.
    }
  }
}
