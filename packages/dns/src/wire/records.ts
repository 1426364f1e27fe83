/** Resource records as data. Names are without the final dot; their case is kept. */
export type RecordData =
  | { type: 'A'; address: string }
  | { type: 'AAAA'; address: string }
  | { type: 'CNAME' | 'NS' | 'PTR'; target: string }
  | { type: 'SRV'; priority: number; weight: number; port: number; target: string }
  | { type: 'TXT'; text: string }
  | { type: 'SOA'; mname: string; rname: string; serial: number; refresh: number; retry: number; expire: number; minimum: number }

export type ResourceRecord = RecordData & { name: string; ttl: number }

export const typeNumbers = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41 } as const

export const rcodes = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const

export type Rcode = keyof typeof rcodes

/** What is answered to a question. */
export interface Answer {
  rcode: Rcode
  answers: ResourceRecord[]
  authority: ResourceRecord[]
  additional: ResourceRecord[]
}
