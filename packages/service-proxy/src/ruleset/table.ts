import { createHash } from 'node:crypto'

export const tableName = 'berth-proxy'

/** How a packet is told to come from a pod of this cluster, as an nft match: the KubeProxyConfiguration's detectLocalMode. */
export interface LocalDetector {
  local: string
  notLocal: string
}

/** What the base of the table depends on besides services. */
export interface TableSettings {
  detector: LocalDetector | undefined
  /** The packet mark that says "masquerade". */
  masqueradeMark: number
}

/**
 * The maps and sets of the table: each one flat, each with its nft type. Order is that of creation. A port in the data is written `tcp dport` (for UDP too: it is the type
 * that counts): nft 1.0 cannot read back a map that says `th dport` there.
 */
export const maps = {
  /** Frontend → the chain of its endpoint count and policy. */
  services: 'map services { type ipv4_addr . inet_proto . inet_service : verdict; }',
  /** Frontend and drawn number → endpoint. */
  endpoints: 'map endpoints { typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : ip daddr . tcp dport; }',
  /** Frontend with affinity and drawn number → mark that stands for the endpoint (and says whether to masquerade). */
  affinity_marks: 'map affinity_marks { typeof ip daddr . meta l4proto . th dport . numgen random mod 65536 : meta mark; }',
  /** Frontend with affinity and mark → endpoint. An endpoint that is gone is not in it, which ends its clients' affinity. */
  affinity_endpoints: 'map affinity_endpoints { typeof ip daddr . meta l4proto . th dport . meta mark : ip daddr . tcp dport; }',
  /** Frontend without endpoints → refuse or drop. */
  no_endpoints: 'map no_endpoints { type ipv4_addr . inet_proto . inet_service : verdict; }',
  /** Frontends that allow only some sources, and those sources. */
  firewall: 'set firewall { type ipv4_addr . inet_proto . inet_service; }',
  firewall_allow: 'set firewall_allow { type ipv4_addr . inet_proto . inet_service . ipv4_addr; flags interval; }',
  cluster_ips: 'set cluster_ips { type ipv4_addr; }',
  /** Endpoints on this node, as source and destination. */
  hairpin: 'set hairpin { type ipv4_addr . ipv4_addr; }',
} as const

export type MapName = keyof typeof maps

/** Which client is at which endpoint: written by the kernel itself, never by us. */
const affinityMap = 'map affinity { typeof ip saddr . ip daddr . meta l4proto . th dport : meta mark; flags dynamic,timeout; size 262144; timeout 3h; }'

/** Affinity marks bear this tag until the connection has its endpoint; then they are wiped. */
export const affinityTag = 0xbe000000

/** What is always there, chain by chain, with its rules. */
export function baseChains({ masqueradeMark: mark }: TableSettings): Map<string, string[]> {
  const bit = hex(mark)
  const clear = hex(~mark >>> 0)
  return new Map([
    ['mark_masquerade', [`meta mark set meta mark or ${bit}`]],
    ['refuse', ['meta l4proto tcp reject with tcp reset', 'reject']],
    ['discard', ['drop']],
    ['nat_prerouting', ['type nat hook prerouting priority dstnat; policy accept;', 'ip daddr . meta l4proto . th dport vmap @services']],
    ['nat_output', ['type nat hook output priority -100; policy accept;', 'ip daddr . meta l4proto . th dport vmap @services']],
    ['nat_postrouting', [
      'type nat hook postrouting priority srcnat; policy accept;',
      'ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random',
      `meta mark and ${bit} == 0 return`,
      `meta mark set meta mark and ${clear}`,
      'masquerade fully-random',
    ]],
    // After the connection has its endpoint the mark means nothing any more, but for the masquerade bit.
    ['wipe_prerouting', ['type filter hook prerouting priority -99; policy accept;', `meta mark and 0xff000000 == ${hex(affinityTag)} meta mark set meta mark and ${bit}`]],
    ['wipe_output', ['type filter hook output priority -99; policy accept;', `meta mark and 0xff000000 == ${hex(affinityTag)} meta mark set meta mark and ${bit}`]],
    ['filter_prerouting', [
      'type filter hook prerouting priority -110; policy accept;',
      'ct state new ip daddr . meta l4proto . th dport @firewall ip daddr . meta l4proto . th dport . ip saddr != @firewall_allow drop',
    ]],
    ['filter_input', ['type filter hook input priority -110; policy accept;', 'ct state new ip daddr . meta l4proto . th dport vmap @no_endpoints']],
    ['filter_forward', ['type filter hook forward priority -110; policy accept;', 'ct state new ip daddr . meta l4proto . th dport vmap @no_endpoints', 'ct state new ip daddr @cluster_ips goto refuse']],
    ['filter_output', ['type filter hook output priority -90; policy accept;', 'ct state new ip daddr . meta l4proto . th dport vmap @no_endpoints', 'ct state new ip daddr @cluster_ips goto refuse']],
  ])
}

/** A chain of this name exists in the table: it says with which base and settings the table was made, so that a restart knows whether it can go on with it. */
export function versionChain(settings: TableSettings): string {
  const text = JSON.stringify([maps, affinityMap, [...baseChains(settings)], settings.detector])
  return `version-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
}

/** The nft commands that replace the table by an empty one. */
export function createTable(settings: TableSettings): string[] {
  const commands = [`add table ip ${tableName}`, `delete table ip ${tableName}`, `table ip ${tableName} {`, ...Object.values(maps), affinityMap]
  const chains = baseChains(settings)
  // Declared before they are filled: rules refer to chains that come later.
  commands.push('}', `add chain ip ${tableName} ${versionChain(settings)}`)
  for (const [name, rules] of chains) {
    const hook = rules[0]?.startsWith('type ') ? rules[0] : undefined
    commands.push(hook ? `add chain ip ${tableName} ${name} { ${hook} }` : `add chain ip ${tableName} ${name}`)
  }
  for (const [name, rules] of chains) for (const rule of rules) if (!rule.startsWith('type ')) commands.push(`add rule ip ${tableName} ${name} ${rule}`)
  return commands
}

/** How many rules each chain of the base has: a chain that somebody emptied is told by it. */
export function baseRuleCounts(settings: TableSettings): Map<string, number> {
  const counts = new Map([...baseChains(settings)].map(([name, rules]) => [name, rules.filter((rule) => !rule.startsWith('type ')).length]))
  return counts.set(versionChain(settings), 0)
}

export function hex(number: number): string {
  return `0x${number.toString(16).padStart(8, '0')}`
}
