import { cpus, hostname, networkInterfaces, release } from 'node:os'
import { readFile, statfs } from 'node:fs/promises'

/** What this machine is. Bytes, counts. */
export interface Machine {
  hostname: string
  cpus: number
  memoryBytes: bigint
  machineId: string
  systemUuid: string
  bootId: string
  kernelVersion: string
  osImage: string
  architecture: string
}

const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386', ppc64: 'ppc64le', s390x: 's390x', riscv64: 'riscv64' }

const text = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim()

export async function readMachine(): Promise<Machine> {
  const [meminfo, machineId, systemUuid, bootId, osRelease] = await Promise.all(
    ['/proc/meminfo', '/etc/machine-id', '/sys/class/dmi/id/product_uuid', '/proc/sys/kernel/random/boot_id', '/etc/os-release'].map(text),
  )
  return {
    hostname: hostname().toLowerCase(),
    cpus: cpus().length,
    memoryBytes: memoryField(meminfo ?? '', 'MemTotal'),
    machineId: machineId ?? '',
    systemUuid: systemUuid || (machineId ?? ''),
    bootId: bootId ?? '',
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease ?? '')?.[1] ?? '',
    architecture: architectures[process.arch] ?? process.arch,
  }
}

/** A field of /proc/meminfo in bytes; 0 where it is missing. */
export const memoryField = (meminfo: string, name: string): bigint => BigInt(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? '0') * 1024n

/** What is there of memory, disk and process numbers now. */
export interface Usage {
  memoryAvailable: bigint
  memoryCapacity: bigint
  fsAvailable: bigint
  fsCapacity: bigint
  fsInodesFree: bigint
  fsInodes: bigint
  pidsAvailable: bigint
  pidsCapacity: bigint
}

export async function readUsage(rootDir: string): Promise<Usage> {
  const [meminfo, pidMax, loadavg, fs] = await Promise.all([text('/proc/meminfo'), text('/proc/sys/kernel/pid_max'), text('/proc/loadavg'), statfs(rootDir, { bigint: true })])
  const pidsCapacity = BigInt(pidMax || '32768')
  const running = BigInt(/\/(\d+)/.exec(loadavg)?.[1] ?? '0')
  return {
    memoryAvailable: memoryField(meminfo, 'MemAvailable'),
    memoryCapacity: memoryField(meminfo, 'MemTotal'),
    fsAvailable: fs.bavail * fs.bsize,
    fsCapacity: fs.blocks * fs.bsize,
    fsInodesFree: fs.ffree,
    fsInodes: fs.files,
    pidsAvailable: pidsCapacity > running ? pidsCapacity - running : 0n,
    pidsCapacity,
  }
}

/** The addresses of the interface that the default route goes out by; all global ones where there is no route. */
export async function defaultAddresses(): Promise<string[]> {
  const route = (await text('/proc/net/route')).split('\n').slice(1).map((l) => l.split('\t')).find((f) => f[1] === '00000000')
  const interfaces = networkInterfaces()
  const names = route?.[0] ? [route[0]] : Object.keys(interfaces)
  const addresses = names.flatMap((n) => interfaces[n] ?? []).filter((a) => !a.internal && !a.address.startsWith('fe80:'))
  return [...addresses.filter((a) => a.family === 'IPv4'), ...addresses.filter((a) => a.family === 'IPv6')].map((a) => a.address).slice(0, 1)
}
