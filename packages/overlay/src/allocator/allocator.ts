import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { OverlayError } from '../errors.ts'
import { contains, isIpv4, type Ipv4Range } from '../ipv4.ts'
import { chooseAddress } from './choose.ts'

/** A host port of a pod, as the runtime's portMappings capability gives it. */
export interface PortMapping {
  hostIP: string
  hostPort: number
  containerPort: number
  protocol: 'tcp' | 'udp' | 'sctp'
}

/** What one interface of one container holds. */
export interface Allocation {
  containerId: string
  ifName: string
  address: string
  ports: PortMapping[]
}

/**
 * Which container interface has which address. The truth is on disk, in host-local's layout: `<dir>/<address>` holds `containerId CRLF ifName` (a stock host-local
 * finds the addresses taken), and `<dir>/ports/<address>.json` the host ports. Each change is on disk, whole or not at all, before its promise resolves, so whoever
 * is killed at any point leaves a state that load() reads. Calls must not overlap: the caller runs them one after the other.
 */
export class Allocator {
  readonly #dir: string
  readonly #byKey = new Map<string, Allocation>()
  readonly #byAddress = new Map<string, Allocation>()
  #last: string | undefined

  private constructor(dir: string) {
    this.#dir = dir
  }

  /** Reads what is on disk; files that are no allocation (a crash's temporary ones, strangers) are left out, temporary ones removed. */
  static async load(dir: string): Promise<Allocator> {
    const allocator = new Allocator(dir)
    await mkdir(`${dir}/ports`, { recursive: true, mode: 0o700 })
    for (const name of await readdir(dir)) {
      if (name.startsWith('.tmp-')) await rm(`${dir}/${name}`)
      if (!isIpv4(name)) continue
      const [containerId, ifName] = (await readFile(`${dir}/${name}`, 'utf8')).trim().split(/\r?\n/)
      if (!containerId) continue
      allocator.#remember({ containerId, ifName: ifName ?? 'eth0', address: name, ports: await readPorts(`${dir}/ports/${name}.json`) })
    }
    const last = await readFile(`${dir}/last_reserved_ip.0`, 'utf8').catch(() => '')
    if (isIpv4(last.trim())) allocator.#last = last.trim()
    return allocator
  }

  list(): Allocation[] {
    return [...this.#byKey.values()]
  }

  get(containerId: string, ifName: string): Allocation | undefined {
    return this.#byKey.get(keyOf(containerId, ifName))
  }

  /** Gives the interface an address of the range: the one it has already if that lies in it, else the next free one. Throws OverlayError 'Exhausted'. */
  async allocate(range: Ipv4Range, containerId: string, ifName: string, ports: PortMapping[]): Promise<Allocation> {
    const had = this.get(containerId, ifName)
    if (had && contains(range, had.address)) {
      if (JSON.stringify(had.ports) === JSON.stringify(ports)) return had
      await this.#writePorts(had.address, ports)
      return this.#remember({ ...had, ports })
    }
    if (had) await this.release(containerId, ifName)
    // A file that appeared behind our back (another host-local) makes link() fail: that address is passed over.
    const strangers = new Set<string>()
    for (;;) {
      const address = chooseAddress(range, (candidate) => this.#byAddress.has(candidate) || strangers.has(candidate), this.#last)
      if (!address) throw new OverlayError('Exhausted', `no address is free: all ${this.#byAddress.size} are given to pods`)
      await this.#writePorts(address, ports)
      if (await this.#claim(address, `${containerId}\r\n${ifName}`)) {
        this.#last = address
        await this.#replace('last_reserved_ip.0', address)
        return this.#remember({ containerId, ifName, address, ports })
      }
      await this.#writePorts(address, [])
      strangers.add(address)
    }
  }

  /** Takes the address back. Gives the allocation that was, or undefined: releasing twice is fine. */
  async release(containerId: string, ifName: string): Promise<Allocation | undefined> {
    const had = this.get(containerId, ifName)
    if (!had) return undefined
    await rm(`${this.#dir}/${had.address}`, { force: true })
    await rm(`${this.#dir}/ports/${had.address}.json`, { force: true })
    this.#byKey.delete(keyOf(containerId, ifName))
    this.#byAddress.delete(had.address)
    return had
  }

  #remember(allocation: Allocation): Allocation {
    this.#byKey.set(keyOf(allocation.containerId, allocation.ifName), allocation)
    this.#byAddress.set(allocation.address, allocation)
    return allocation
  }

  // A link to a finished file: the name appears with its whole content or not at all, and only if it was free.
  async #claim(address: string, content: string): Promise<boolean> {
    const temporary = `${this.#dir}/.tmp-${process.pid}`
    await writeFile(temporary, content, { mode: 0o600 })
    try {
      await link(temporary, `${this.#dir}/${address}`)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
      throw error
    } finally {
      await rm(temporary, { force: true })
    }
  }

  async #writePorts(address: string, ports: PortMapping[]): Promise<void> {
    if (ports.length > 0) await this.#replace(`ports/${address}.json`, JSON.stringify(ports))
    else await rm(`${this.#dir}/ports/${address}.json`, { force: true })
  }

  async #replace(name: string, content: string): Promise<void> {
    const temporary = `${this.#dir}/.tmp-${process.pid}-replace`
    await writeFile(temporary, content, { mode: 0o600 })
    await rename(temporary, `${this.#dir}/${name}`)
  }
}

function keyOf(containerId: string, ifName: string): string {
  return `${containerId} ${ifName}`
}

async function readPorts(path: string): Promise<PortMapping[]> {
  const text = await readFile(path, 'utf8').catch(() => '[]')
  return JSON.parse(text) as PortMapping[]
}
