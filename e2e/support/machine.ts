import fs from 'node:fs'
import { layoutOf } from 'berth'
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

/** Names of Berth's instances other than the default one (packages/berth, layout.ts). */
const anyInstance = /berth-[0-9a-f]{6}/

function processes(own: readonly string[]): string[] {
  const found: string[] = []
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim()
      if (own.some((word) => command.includes(word)) && !command.includes('vitest')) found.push(command.replace(/-id \S+/, ''))
    } catch {
      // It ended while we looked.
    }
  }
  return found.sort()
}

/**
 * Looks at the machine: links, namespaces, rules, mounts, processes, control groups. What other instances of Berth have on it at the same
 * time is left out; of everything else, all counts.
 */
export async function snapshotOfMachine(dataDir: string): Promise<MachineSnapshot> {
  const { name, runDir } = layoutOf(dataDir)
  const others = (line: string): boolean => anyInstance.test(line) && !line.includes(name)
  const own = [dataDir, runDir]
  const cgroups = fs.readdirSync('/sys/fs/cgroup').flatMap((hierarchy) => {
    try {
      return fs.readdirSync(`/sys/fs/cgroup/${hierarchy}`, { withFileTypes: true }).filter((e) => e.isDirectory() && e.name === name).map((e) => `${hierarchy}/${e.name}`)
    } catch {
      return []
    }
  })
  return {
    links: lines((await output('ip', '-o', 'link')).replace(/^\d+: ([^:@]+).*$/gm, '$1')).filter((line) => !others(line)),
    namespaces: lines((await output('ip', 'netns', 'list')).replaceAll(/ \(id: \d+\)/g, '')).filter((line) => !others(line)),
    nft: lines(await output('nft', 'list', 'tables')).filter((line) => !others(line)),
    iptables: lines(await output('iptables', '-S')).filter((line) => !others(line)),
    sysctls: { ip_forward: fs.readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() },
    mounts: lines(fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').join('\n')).filter((line) => own.some((folder) => line.startsWith(folder)) || line === `/run/netns/${name}`),
    processes: processes(own),
    cgroups,
  }
}
