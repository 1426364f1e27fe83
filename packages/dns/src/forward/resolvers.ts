import { readFile, stat } from 'node:fs/promises'
import { isIP } from 'node:net'

/** An upstream resolver. */
export interface Upstream {
  address: string
  port: number
}

/** Where resolvers are read from: systemd-resolved's own file says whom it asks, the other one often only that it should be asked. */
export const resolverFiles = ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'] as const

/** The name servers of a resolv.conf. Loopback addresses are left out: from a node's network namespace they lead nowhere, and on the host often to ourselves. */
export function parseResolvConf(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [word, address = ''] = line.replace(/[#;].*$/, '').trim().split(/\s+/)
    // A zone index (fe80::1%eth0) is not an address that a socket in another namespace can use.
    return word === 'nameserver' && isIP(address) !== 0 && !address.includes('%') && !isLoopback(address) ? [address] : []
  })
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.toLowerCase().startsWith('::ffff:127.')
}

/** Reads `10.0.0.1`, `10.0.0.1:5353`, `fd00::1`, `[fd00::1]:53`; undefined for anything else. */
export function parseUpstream(text: string): Upstream | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? plain ?? text
  if (isIP(address) === 0 || Number(port ?? 53) > 65535) return undefined
  return { address, port: Number(port ?? 53) }
}

/** The host's resolvers, read again when a file changes. */
export class HostResolvers {
  readonly #files: readonly string[]
  #stamp = ''
  #upstreams: Upstream[] = []
  #checkedAt = -Infinity

  constructor(files: readonly string[] = resolverFiles) {
    this.#files = files
  }

  /** Those of the first file that names any. Looks at the files every 5 seconds at most. */
  async current(): Promise<Upstream[]> {
    if (performance.now() - this.#checkedAt < 5000) return this.#upstreams
    this.#checkedAt = performance.now()
    const stamp = (await Promise.all(this.#files.map((file) => stat(file).then((found) => `${found.mtimeMs} ${found.ino}`, () => '-')))).join()
    if (stamp === this.#stamp) return this.#upstreams
    this.#stamp = stamp
    this.#upstreams = []
    for (const file of this.#files) {
      const addresses = parseResolvConf(await readFile(file, 'utf8').catch(() => ''))
      this.#upstreams = addresses.map((address) => ({ address, port: 53 }))
      if (addresses.length > 0) break
    }
    return this.#upstreams
  }
}
