import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type RunResult, runNative } from '@berth/native'

export const isRoot = process.getuid?.() === 0
if (!isRoot) console.log('skipped: network namespaces need root')

const prefix = `ovl${process.pid}`

/** Namespaces, bridge and daemons of one test; close() takes all of it away. */
export class TestCluster {
  readonly dir = mkdtempSync('/tmp/berth-overlay-')
  readonly #namespaces = new Set<string>()
  readonly #children = new Set<ChildProcess>()

  /** A namespace's path. */
  namespace(name: string): string {
    execFileSync('ip', ['netns', 'add', `${prefix}-${name}`])
    this.#namespaces.add(name)
    return `/run/netns/${prefix}-${name}`
  }

  removeNamespace(name: string): void {
    if (this.#namespaces.delete(name)) execFileSync('ip', ['netns', 'del', `${prefix}-${name}`])
  }

  /** A fabric with a bridge, and nodes on it: 172.31.9.11, .12, ... */
  nodes(...names: string[]): TestNode[] {
    const fabric = this.namespace('fabric')
    run(fabric, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
    run(fabric, 'ip', 'addr', 'add', '172.31.9.1/24', 'dev', 'br0')
    run(fabric, 'ip', 'link', 'set', 'br0', 'up')
    return names.map((name, i) => {
      const netns = this.namespace(name)
      run(netns, 'ip', 'link', 'set', 'lo', 'up')
      run(netns, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `p${i}`, 'netns', `${prefix}-fabric`)
      run(netns, 'ip', 'addr', 'add', `172.31.9.${11 + i}/24`, 'dev', 'eth0')
      run(netns, 'ip', 'link', 'set', 'eth0', 'up')
      run(fabric, 'ip', 'link', 'set', `p${i}`, 'master', 'br0', 'up')
      run(netns, 'ip', 'route', 'add', 'default', 'via', '172.31.9.1')
      const dir = `${this.dir}/${name}`
      mkdirSync(dir)
      return new TestNode(name, netns, `172.31.9.${11 + i}`, dir, this.#children)
    })
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL')
    for (const name of this.#namespaces) execFileSync('ip', ['netns', 'del', `${prefix}-${name}`])
    this.#namespaces.clear()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

export class TestNode {
  readonly name: string
  readonly netns: string
  readonly address: string
  readonly dir: string
  readonly #children: Set<ChildProcess>
  #daemon: ChildProcess | undefined

  constructor(name: string, netns: string, address: string, dir: string, children: Set<ChildProcess>) {
    this.name = name
    this.netns = netns
    this.address = address
    this.dir = dir
    this.#children = children
  }

  /** Starts the daemon in this node's namespace and waits until it serves. */
  async start(): Promise<void> {
    const program = fileURLToPath(new URL('./daemon.ts', import.meta.url))
    const child = spawn('nsenter', [`--net=${this.netns}`, process.execPath, program, this.name, this.dir], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#daemon = child
    this.#children.add(child)
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error('the daemon ended')))])
  }

  async kill(): Promise<void> {
    const child = this.#daemon
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Tells the daemon's API about a node. */
  put(node: { name: string; address: string }, podCIDR: string): void {
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: node.name }, spec: { podCIDR, podCIDRs: [podCIDR] }, status: { addresses: [{ type: 'InternalIP', address: node.address }] } }
    this.#daemon?.stdin?.write(`${JSON.stringify(object)}\n`)
  }

  async waitForConflist(): Promise<void> {
    while (!existsSync(`${this.dir}/conf/10-berth.conflist`)) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  /** Calls the installed plugin as a runtime does, from the node's namespace. */
  cni(command: string, containerId: string, podNetns = '', more: object = {}, version = '1.0.0'): Promise<RunResult> {
    const input = JSON.stringify({ cniVersion: version, name: 'berth', type: 'berth', socket: `${this.dir}/overlay.sock`, ...more })
    const env = { CNI_COMMAND: command, CNI_CONTAINERID: containerId, CNI_IFNAME: 'eth0', CNI_PATH: `${this.dir}/bin`, ...(podNetns ? { CNI_NETNS: podNetns } : {}) }
    return runNative([`--net=${this.netns}`, `${this.dir}/bin/berth`], { program: '/usr/bin/nsenter', input, env })
  }

  /** Attaches and gives the address. */
  async add(containerId: string, podNetns: string, more: object = {}): Promise<string> {
    const { code, stdout } = await this.cni('ADD', containerId, podNetns, more)
    if (code !== 0) throw new Error(stdout)
    return addressIn(stdout)
  }

  devices(): string[] {
    return run(this.netns, 'ip', '-o', 'link').split('\n').flatMap((line) => /: (bth[0-9a-f]+)/.exec(line)?.[1] ?? [])
  }

  /** Allocations on disk: address → container. */
  allocations(): Map<string, string> {
    const dir = `${this.dir}/state/berth`
    return new Map(readdirSync(dir).filter((name) => /^\d+\.\d+\.\d+\.\d+$/.test(name)).map((name) => [name, readFileSync(`${dir}/${name}`, 'utf8').split('\r\n')[0] ?? '']))
  }
}

export function addressIn(stdout: string): string {
  return (JSON.parse(stdout) as { ips: { address: string }[] }).ips[0]?.address.replace('/32', '') ?? ''
}

/** Runs a command in a namespace. */
export function run(netns: string, ...argv: string[]): string {
  return execFileSync('nsenter', [`--net=${netns}`, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

export function canPing(netns: string, address: string): boolean {
  try {
    run(netns, 'busybox', 'ping', '-c1', '-W1', address)
    return true
  } catch {
    return false
  }
}
