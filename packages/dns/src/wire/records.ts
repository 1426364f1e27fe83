/** Resource records as data. Names are as names.ts has them; their case is kept. */
export type RecordData =
  | { type: 'A'; address: string }
  | { type: 'AAAA'; address: string }
  | { type: 'CNAME' | 'NS' | 'PTR'; target: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'TXT'; text: string }
  | { type: 'SOA'; mname: string; rname: string; serial: number; refresh: number; retry: number; expire: number; minimum: number }
  /** Another resolver's record of any other type, whose data holds no compressed name. */
  | { type: 'RAW'; number: number; data: Uint8Array }

export type ResourceRecord = RecordData & { name: string; ttl: number }

export const typeNumbers = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33, OPT: 41 } as const

/** Types that questions and metrics name; others are `TYPE65280` (RFC 3597). */
const typeNames = new Map<number, string>([
  ...Object.entries(typeNumbers).map(([name, number]): [number, string] => [number, name]),
  [43, 'DS'], [46, 'RRSIG'], [47, 'NSEC'], [48, 'DNSKEY'], [50, 'NSEC3'], [65, 'HTTPS'], [251, 'IXFR'], [252, 'AXFR'], [255, 'ANY'],
])

export function typeName(number: number): string {
  return typeNames.get(number) ?? `TYPE${number}`
}

export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const

export type Rcode = keyof typeof rcodes

const rcodeNames = new Map<number, Rcode>((Object.keys(rcodes) as Rcode[]).map((name) => [rcodes[name], name]))

/** An rcode's name; its number for one that we never give ourselves. */
export function rcodeName(number: number): Rcode | `${number}` {
  return rcodeNames.get(number) ?? `${number}`
}

/** What is answered to a question. */
export interface Answer {
  rcode: Rcode
  answers: ResourceRecord[]
  authority: ResourceRecord[]
  additional: ResourceRecord[]
}
