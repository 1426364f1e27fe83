import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { runNative, runNetActions } from '@berth/native'

export const isRoot = process.getuid?.() === 0
if (!isRoot) console.log('skipped: network namespaces need root')

const programs = { echo: fileURLToPath(new URL('./echo.ts', import.meta.url)), daemon: fileURLToPath(new URL('./daemon.ts', import.meta.url)) }

const prefix = `prx${process.pid}`

/** A fabric with an outside client, two nodes, and pods routed to them; the proxy runs on node a. close() takes all away. */
export class ProxyCluster {
  readonly #namespaces = new Set<string>()
  readonly #children = new Set<ChildProcess>()
  #proxy: ChildProcess | undefined
  readonly #objects = new Map<string, { path: string; object: object }>()
  readonly nodeAddress = '172.31.8.11'

  netns(name: string): string {
    return `/run/netns/${prefix}-${name}`
  }

  async build(): Promise<void> {
    this.#namespace('fabric')
    run(this.netns('fabric'), 'ip', 'link', 'add', 'br0', 'type', 'bridge')
    run(this.netns('fabric'), 'ip', 'addr', 'add', '172.31.8.1/24', 'dev', 'br0')
    run(this.netns('fabric'), 'ip', 'link', 'set', 'br0', 'up')
    for (const [i, node] of ['a', 'b'].entries()) {
      const netns = this.#namespace(node)
      run(netns, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', `p${i}`, 'netns', `${prefix}-fabric`)
      run(netns, 'ip', 'addr', 'add', `172.31.8.${11 + i}/24`, 'dev', 'eth0')
      run(netns, 'ip', 'link', 'set', 'eth0', 'up')
      run(this.netns('fabric'), 'ip', 'link', 'set', `p${i}`, 'master', 'br0', 'up')
      await runNetActions(['sysctl net/ipv4/ip_forward 1', 'route-set 0.0.0.0/0 eth0 via 172.31.8.1', `route-set 10.244.${2 - i}.0/24 eth0 via 172.31.8.${12 - i}`], { netns })
    }
    // Outside clients know nothing of pods: only what bears a node's address can come back.
    await this.pod('a', 'a1', '10.244.1.11')
    await this.pod('a', 'a2', '10.244.1.12')
    await this.pod('b', 'b1', '10.244.2.11', '10.244.2.12')
  }

  /** A pod with these addresses and an echo server on each. */
  async pod(node: string, name: string, ...addresses: string[]): Promise<void> {
    const netns = this.#namespace(name)
    await runNetActions([
      `veth v${name} eth0 ${netns} 1500 0e:58:00:00:00:01 0a:58:00:00:00:02`, `link-up v${name}`,
      ...addresses.flatMap((address) => [`route-set ${address}/32 v${name}`, `neigh-set v${name} ${address} 0a:58:00:00:00:02`]),
      `in ${netns}`, 'link-up eth0', ...addresses.map((address) => `addr-add eth0 ${address}/32`),
      'route-set 169.254.1.1/32 eth0 scope link', 'neigh-set eth0 169.254.1.1 0e:58:00:00:00:01', `route-set 0.0.0.0/0 eth0 via 169.254.1.1 src ${addresses[0]}`,
    ], { netns: this.netns(node) })
    const echo = this.#spawn(netns, programs.echo, ...addresses)
    await once(echo.stdout ?? process.stdin, 'data')
  }

  async startProxy(config: object = {}): Promise<void> {
    const proxy = this.#spawn(this.netns('a'), programs.daemon, 'a', JSON.stringify({ clusterCIDR: '10.244.0.0/16', ...config }), ...(process.env.BERTH_TEST_V ? [process.env.BERTH_TEST_V] : []))
    this.#proxy = proxy
    for (const { path, object } of this.#objects.values()) this.#tell({ path, object })
    this.#tell({ start: true })
    await Promise.race([once(proxy.stdout ?? process.stdin, 'data'), once(proxy, 'exit').then(() => Promise.reject(new Error('the proxy ended')))])
  }

  async killProxy(): Promise<void> {
    const ended = this.#proxy && this.#proxy.exitCode === null && this.#proxy.signalCode === null ? once(this.#proxy, 'exit') : undefined
    this.#proxy?.kill('SIGKILL')
    await ended
  }

  /** Creates or replaces a service with one port 80 (to 8080) and gives nothing back: its address is `ip`. */
  service(name: string, ip: string, spec: object = {}, protocol = 'TCP', port: object = {}): void {
    const ports = [{ name: 'p', port: 80, targetPort: 8080, protocol, ...port }]
    this.put('/api/v1/namespaces/default/services', { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ports, ...spec } })
  }

  /** Sets a service's endpoints; an address begins with 10.244.1 on node a, 10.244.2 on node b. */
  endpoints(name: string, addresses: string[], protocol = 'TCP'): void {
    this.put('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
      apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } }, addressType: 'IPv4',
      ports: [{ name: 'p', port: 8080, protocol }],
      endpoints: addresses.map((address) => ({ addresses: [address], nodeName: address.startsWith('10.244.1.') ? 'a' : 'b', conditions: { ready: true } })),
    })
  }

  put(path: string, object: { metadata: { name: string; namespace?: string; labels?: object }; [field: string]: unknown }): void {
    this.#objects.set(`${path}/${object.metadata.name}`, { path, object })
    this.#tell({ path, object })
  }

  remove(path: string, name: string): void {
    this.#objects.delete(`${path}/${name}`)
    this.#tell({ path, name })
  }

  /** Connects from a namespace and gives what the server said, or why there was none: `refused`, `timeout`. */
  async ask(from: string, address: string, port = 80): Promise<string> {
    const { code, stdout, stderr } = await runNative(['timeout', '1', `${nativePath()}`, 'dial', this.netns(from), address, String(port)], { program: '/bin/busybox' })
    if (stdout !== '') return stdout
    return /refused/.test(stderr) ? 'refused' : code === 128 || code === 143 || code === 124 ? 'timeout' : `${code} ${stderr}`
  }

  /** Asks this often and gives the different answers, sorted. */
  async askMany(from: string, address: string, times: number, port = 80): Promise<string[]> {
    const answers = new Set<string>()
    for (let i = 0; i < times; i++) answers.add(await this.ask(from, address, port))
    return [...answers].toSorted()
  }

  nft(...args: string[]): string {
    return run(this.netns('a'), 'nft', ...args)
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    await Promise.all([...this.#children].filter((child) => child.exitCode === null && child.signalCode === null).map((child) => once(child, 'exit')))
    for (const name of this.#namespaces) execFileSync('ip', ['netns', 'del', `${prefix}-${name}`])
    this.#namespaces.clear()
  }

  #namespace(name: string): string {
    execFileSync('ip', ['netns', 'add', `${prefix}-${name}`])
    this.#namespaces.add(name)
    run(this.netns(name), 'ip', 'link', 'set', 'lo', 'up')
    return this.netns(name)
  }

  #tell(change: object): void {
    this.#proxy?.stdin?.write(`${JSON.stringify(change)}\n`)
  }

  #spawn(netns: string, program: string, ...args: string[]): ChildProcess {
    const child = spawn('nsenter', [`--net=${netns}`, process.execPath, program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin?.on('error', () => {}) // written to while it is being killed
    this.#children.add(child)
    return child
  }
}

export function run(netns: string, ...argv: string[]): string {
  return execFileSync('nsenter', [`--net=${netns}`, ...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

function nativePath(): string {
  return fileURLToPath(new URL('../../native/build/berth-native', import.meta.url))
}
