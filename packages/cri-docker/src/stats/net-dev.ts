/** The counters of one interface. */
export interface NetworkCounters {
  name: string
  rxBytes: bigint
  rxPackets: bigint
  rxErrors: bigint
  rxDropped: bigint
  txBytes: bigint
  txPackets: bigint
  txErrors: bigint
  txDropped: bigint
}

/** The kernel's table of interfaces (/proc/PID/net/dev) without the loopback. */
export function parseNetDev(text: string): NetworkCounters[] {
  return text.split('\n').slice(2).flatMap((line) => {
    const [, name, rest = ''] = /^\s*([^:]+):\s*(.*)$/.exec(line) ?? []
    if (name === undefined || name === 'lo') return []
    const counters = rest.trim().split(/\s+/)
    const value = (index: number): bigint => BigInt(counters[index] ?? '0')
    return [{ name, rxBytes: value(0), rxPackets: value(1), rxErrors: value(2), rxDropped: value(3), txBytes: value(8), txPackets: value(9), txErrors: value(10), txDropped: value(11) }]
  })
}
