import fs from 'node:fs'
import { run } from './kubectl.ts'

/** What a cluster could leave on a machine. */
export interface MachineSnapshot {
  readonly links: string[]
  readonly namespaces: string[]
  readonly nft: string[]
  readonly iptables: string[]
  readonly sysctls: Record<string, string>
  readonly mounts: string[]
  readonly processes: string[]
  readonly cgroups: string[]
}

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean).sort()

async function output(...argv: string[]): Promise<string> {
  try {
    return (await run(argv)).stdout
  } catch {
    return ''
  }
}

function processes(): string[] {
  const found: string[] = []
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
      if (/berth-native|berth\.js (server|agent)|main\.ts (server|agent)|containerd-shim|dockerd|\/?containerd( |$)/.test(command)) found.push(command.replace(/-id \S+/, ''))
    } catch {
      // It ended while we looked.
    }
  }
  return found.sort()
}

/** Looks at the machine: links, namespaces, rules, mounts, processes, control groups. */
export async function snapshotOfMachine(): Promise<MachineSnapshot> {
  const cgroups = fs.readdirSync('/sys/fs/cgroup').flatMap((hierarchy) => {
    try {
      return fs.readdirSync(`/sys/fs/cgroup/${hierarchy}`, { withFileTypes: true }).filter((e) => e.isDirectory() && e.name.startsWith('berth')).map((e) => `${hierarchy}/${e.name}`)
    } catch {
      return []
    }
  })
  return {
    links: lines((await output('ip', '-o', 'link')).replace(/^\d+: ([^:@]+).*$/gm, '$1')),
    namespaces: lines(await output('ip', 'netns', 'list')),
    nft: lines(await output('nft', 'list', 'tables')),
    iptables: lines(await output('iptables', '-S')),
    sysctls: { ip_forward: fs.readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() },
    mounts: lines(fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').join('\n')),
    processes: processes(),
    cgroups,
  }
}
