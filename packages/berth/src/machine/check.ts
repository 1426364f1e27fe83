import fs from 'node:fs'
import { MachineError } from '../errors.ts'

/** Programs that a cluster on this machine calls, and the Debian package of each. */
const programs: Readonly<Record<string, string>> = {
  containerd: 'containerd', dockerd: 'docker.io', runc: 'runc', nft: 'nftables', ip: 'iproute2', nsenter: 'util-linux', conntrack: 'conntrack',
}

const extraPath = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Puts the system's own folders on PATH, and says at once which programs are missing. */
export function checkMachine(): void {
  process.env.PATH = [...new Set([...(process.env.PATH ?? '').split(':').filter(Boolean), ...extraPath])].join(':')
  const dirs = process.env.PATH.split(':')
  const missing = Object.entries(programs).filter(([program]) => !dirs.some((dir) => fs.existsSync(`${dir}/${program}`)))
  if (missing.length === 0) return
  const names = missing.map(([program]) => program).join(', ')
  throw new MachineError(`missing on this machine: ${names}. On Debian: apt-get install --no-install-recommends ${missing.map(([, name]) => name).join(' ')}`)
}
