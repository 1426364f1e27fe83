import { exec } from '../exec.ts'
import { CommandError } from '../errors.ts'
import { nodeAddress, type Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'
import { hostLink } from './fabric.ts'

/**
 * The one nft table that Berth has in the machine's own namespace: egress of the underlay by masquerade, and the way
 * from the machine's addresses to the NodePorts of the first node.
 */
export function hostTable(layout: Layout, instance: Instance): string {
  const link = hostLink(layout)
  const node = nodeAddress(instance, instance.nodes[0] ?? 'n1')
  const table = `table ip ${layout.name}`
  return `${table} {}
delete ${table}
${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${instance.underlay}.0/24 oifname != "${link}" masquerade
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    iifname != "${link}" fib daddr type local meta l4proto { tcp, udp } th dport 30000-32767 dnat to ${node}
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr != 127.0.0.0/8 ip daddr != ${instance.underlay}.0/24 fib daddr type local meta l4proto { tcp, udp } th dport 30000-32767 dnat to ${node}
  }
}
`
}

/** How a program is run in the machine's own namespace. */
type Run = typeof exec

async function attempt(run: Run, argv: readonly string[]): Promise<string | undefined> {
  try {
    return await run(argv)
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}

/** Loads the table, in one transaction with the removal of an earlier one. */
export async function ensureHostTable(layout: Layout, instance: Instance, run: Run = exec): Promise<void> {
  await run(['nft', '-f', '-'], { input: hostTable(layout, instance) })
}

interface NftChain { family: string; table: string; name: string; type?: string; hook?: string; policy?: string }

/** A chain of somebody else's that drops what is forwarded, and how a rule gets to its head. */
interface Dropper { show: string[]; insert: string[]; remove(listing: string): string[][] }

/** The FORWARD hooks of others that drop by policy, so that our own table's accept could not undo it. Pure. */
export function forwardDroppers(chains: readonly NftChain[], iptables: ReadonlyArray<{ program: string; rules: string }>, layout: Layout): Dropper[] {
  const link = hostLink(layout)
  const droppers: Dropper[] = []
  const kept = new Set<string>()
  for (const { program, rules } of iptables) {
    const lines = rules.split('\n')
    if (!lines.includes('-P FORWARD DROP')) continue
    const chain = lines.includes('-N DOCKER-USER') ? 'DOCKER-USER' : 'FORWARD'
    for (const direction of ['-i', '-o']) {
      const rule = [chain, direction, link, '-m', 'comment', '--comment', layout.name, '-j', 'ACCEPT']
      droppers.push({ show: [program, '-C', ...rule], insert: [program, '-I', ...rule], remove: () => [[program, '-D', ...rule]] })
    }
    if (program.includes('nft') || program === 'iptables') kept.add('ip filter FORWARD')
  }
  for (const chain of chains) {
    const id = `${chain.family} ${chain.table} ${chain.name}`
    if (chain.hook !== 'forward' || chain.policy !== 'drop' || chain.table === layout.name || kept.has(id) || !['ip', 'inet'].includes(chain.family)) continue
    const at = [chain.family, chain.table, chain.name]
    for (const match of ['iifname', 'oifname']) {
      droppers.push({
        show: ['nft', '-a', 'list', 'chain', ...at],
        insert: ['nft', 'insert', 'rule', ...at, match, link, 'accept', 'comment', `"${layout.name} ${match}"`],
        remove: (listing) => [...listing.matchAll(new RegExp(`comment "${layout.name} ${match}" # handle (\\d+)`, 'g'))].map((m) => ['nft', 'delete', 'rule', ...at, 'handle', m[1]!]),
      })
    }
  }
  return droppers
}

async function currentDroppers(layout: Layout, run: Run): Promise<Dropper[]> {
  const listing = await attempt(run, ['nft', '-j', 'list', 'chains'])
  const chains = listing ? (JSON.parse(listing) as { nftables: Array<{ chain?: NftChain }> }).nftables.flatMap((x) => (x.chain ? [x.chain] : [])) : []
  const iptables: Array<{ program: string; rules: string }> = []
  for (const program of ['iptables', 'iptables-legacy']) {
    // iptables-legacy would load its kernel table only to look at it: ask only where the table is in use.
    if (program === 'iptables-legacy' && (await attempt(run, ['grep', '-qx', 'filter', '/proc/net/ip_tables_names'])) === undefined) continue
    const rules = await attempt(run, [program, '-S'])
    if (rules !== undefined) iptables.push({ program, rules })
  }
  return forwardDroppers(chains, iptables, layout)
}

/** Lets the underlay's traffic through where another table's FORWARD hook drops by policy; what is there already stays. */
export async function ensureForwarding(layout: Layout, run: Run = exec): Promise<void> {
  for (const dropper of await currentDroppers(layout, run)) {
    const listing = await attempt(run, dropper.show)
    const present = dropper.show[0] === 'nft' ? listing !== undefined && dropper.remove(listing).length > 0 : listing !== undefined
    if (!present) await run(dropper.insert)
  }
}

/** Removes the table and every rule that `ensureForwarding` put into others' chains. */
export async function removeHostRules(layout: Layout, run: Run = exec): Promise<void> {
  for (const dropper of await currentDroppers(layout, run)) {
    const listing = await attempt(run, dropper.show)
    if (listing === undefined) continue
    for (const argv of dropper.remove(listing)) await attempt(run, argv)
  }
  await attempt(run, ['nft', 'delete', 'table', 'ip', layout.name])
}
