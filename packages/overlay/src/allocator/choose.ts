import { type Ipv4Range, sizeOf, toAddress, toNumber } from '../ipv4.ts'

/**
 * The next free address of a range after the one given last, so that an address rests as long as possible before it is given again (conntrack and others still
 * remember its last owner). The first two (network, and the gateway where a bridge is used instead of us) and the last one are never given. undefined: none is free.
 */
export function chooseAddress(range: Ipv4Range, taken: (address: string) => boolean, last: string | undefined): string | undefined {
  const from = range.first + 2
  const count = sizeOf(range) - 3
  const offset = last === undefined ? 0 : toNumber(last) - from + 1
  for (let i = 0; i < count; i++) {
    const address = toAddress(from + ((offset + i) % count + count) % count)
    if (!taken(address)) return address
  }
  return undefined
}
