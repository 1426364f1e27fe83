import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DNSConfig } from '@berth/cri'
import type { Engine } from '../engine/connect.ts'
import { releaseImages } from '../images/image-volumes.ts'

/** The files that a sandbox gives to its containers. */
export interface SandboxFiles {
  resolvConf: string
  hosts: string
}

export function sandboxFiles(directory: string): SandboxFiles {
  return { resolvConf: join(directory, 'resolv.conf'), hosts: join(directory, 'hosts') }
}

/** The text of a resolv.conf; undefined where the configuration says nothing, and the host's holds. */
export function resolvConf(dns: Partial<DNSConfig> | undefined): string | undefined {
  const { servers = [], searches = [], options = [] } = dns ?? {}
  if (servers.length === 0 && searches.length === 0 && options.length === 0) return undefined
  const lines = servers.map((server) => `nameserver ${server}`)
  if (searches.length > 0) lines.push(`search ${searches.join(' ')}`)
  if (options.length > 0) lines.push(`options ${options.join(' ')}`)
  return `${lines.join('\n')}\n`
}

/** The text of a hosts file. */
export function hostsFile(hostname: string, addresses: readonly string[]): string {
  const lines = ['127.0.0.1\tlocalhost', '::1\tlocalhost ip6-localhost ip6-loopback', 'fe00::0\tip6-localnet', 'ff02::1\tip6-allnodes', 'ff02::2\tip6-allrouters']
  if (hostname !== '') lines.push(...addresses.map((address) => `${address}\t${hostname}`))
  return `${lines.join('\n')}\n`
}

/** Writes both files; they are rewritten in place, since containers have them mounted. */
export async function writeSandboxFiles(directory: string, dns: Partial<DNSConfig> | undefined, hosts: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const files = sandboxFiles(directory)
  await writeFile(files.resolvConf, resolvConf(dns) ?? (await readFile('/etc/resolv.conf', 'utf8').catch(() => '')))
  await writeFile(files.hosts, hosts)
}

/** Removes a sandbox's directory, and before it what is mounted there. */
export async function removeSandboxFiles(engine: Engine, directory: string): Promise<void> {
  await releaseImages(engine, directory)
  await rm(directory, { recursive: true, force: true })
}
