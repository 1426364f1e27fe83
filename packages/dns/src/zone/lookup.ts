import ipaddr from 'ipaddr.js'
import type { Answer, ResourceRecord } from '../wire/records.ts'
import type { ServiceRecords } from './service-records.ts'
import type { Zone } from './zone.ts'

export interface LookupSettings {
  /** The cluster domain, in lower case and without a final dot. */
  zone: string
  ttl: number
  /** Our own addresses, for ns.dns.<zone>. */
  nameServer: readonly string[]
}

/** What the zone says to a question: an answer; that a name leads out of it (`alias`); or that the question is none of its own (undefined). */
export type Lookup = Answer & { alias?: string }

const schemaVersion = '1.1.0'

/** Answers a question (a name as wire/names.ts has it) out of the zone; undefined if it is for somebody else. Pure: the order of records is the zone's. */
export function lookup(zone: Zone, settings: LookupSettings, name: string, type: string): Lookup | undefined {
  const lower = name.toLowerCase()
  if (lower.endsWith('.in-addr.arpa') || lower.endsWith('.ip6.arpa')) return reverse(zone, settings, name, lower, type)
  if (lower !== settings.zone && !lower.endsWith(`.${settings.zone}`)) return undefined
  const labels = lower === settings.zone ? [] : lower.slice(0, -settings.zone.length - 1).split('.')
  const found = find(zone, settings, labels)
  if (!found) return { rcode: 'NXDOMAIN', answers: [], authority: [soa(zone, settings)], additional: [] }
  if (found.externalName !== undefined) {
    const answers: ResourceRecord[] = [{ name, ttl: settings.ttl, type: 'CNAME', target: found.externalName }]
    const followed = type === 'CNAME' || type === 'ANY' ? {} : { alias: found.externalName }
    return { rcode: 'NOERROR', answers, authority: [], additional: [], ...followed }
  }
  const answers = found.records.filter((record) => record.type === type || type === 'ANY').map((record): ResourceRecord => ({ ...record, name, ttl: settings.ttl }))
  return { rcode: 'NOERROR', answers, authority: answers.length > 0 ? [] : [soa(zone, settings)], additional: answers.length > 0 ? (found.additional ?? []) : [] }
}

/** The answer that a name exists without such a record. */
export function noData(zone: Zone, settings: LookupSettings): Answer {
  return { rcode: 'NOERROR', answers: [], authority: [soa(zone, settings)], additional: [] }
}

interface Found {
  /** Records of all types at the name; their own name is set when they are given out. */
  records: ResourceRecord[]
  additional?: ResourceRecord[]
  externalName?: string
}

// A name that exists without records of its own (svc.<zone>): others are below it.
const emptyName: Found = { records: [] }

function find(zone: Zone, settings: LookupSettings, labels: string[]): Found | undefined {
  const [kind, namespace, service, host, port] = labels.toReversed()
  if (labels.length === 0) {
    const ns: ResourceRecord = { name: '', ttl: settings.ttl, type: 'NS', target: `ns.dns.${settings.zone}` }
    return { records: [soa(zone, settings), ns], additional: addresses(`ns.dns.${settings.zone}`, settings.nameServer, settings) }
  }
  if (kind === 'dns-version' && labels.length === 1) return { records: [{ name: '', ttl: settings.ttl, type: 'TXT', text: schemaVersion }] }
  if (kind === 'dns') {
    if (labels.length === 1) return emptyName
    return namespace === 'ns' && labels.length === 2 ? { records: addresses('', settings.nameServer, settings) } : undefined
  }
  if (kind !== 'svc' && kind !== 'pod') return undefined
  if (namespace === undefined) return emptyName
  if (service === undefined) return zone.hasNamespace(namespace) ? emptyName : undefined
  if (kind === 'pod') return labels.length === 3 && zone.hasNamespace(namespace) ? podName(service, settings) : undefined
  const records = zone.service({ namespace, name: service })
  if (!records || labels.length > 5) return undefined
  const serviceName = `${service}.${namespace}.svc.${settings.zone}`
  if (host === undefined) return atService(records, settings)
  return port === undefined ? atHost(records, host, settings) : atPort(records, `${port}.${host}`, serviceName, settings)
}

function atService(records: ServiceRecords, settings: LookupSettings): Found | undefined {
  if (records.kind === 'externalName') return { records: [], externalName: records.externalName }
  // A headless service of which no endpoint is ready: the specification wants NXDOMAIN.
  return records.addresses.length > 0 ? { records: addresses('', records.addresses, settings) } : undefined
}

function atHost(records: ServiceRecords, host: string, settings: LookupSettings): Found | undefined {
  const here = records.hosts.get(host)
  if (here) return { records: addresses('', here, settings) }
  // `_tcp` stands between the ports and the service.
  return [...records.ports.keys()].some((key) => key.endsWith(`.${host}`)) ? emptyName : undefined
}

function atPort(records: ServiceRecords, key: string, serviceName: string, settings: LookupSettings): Found | undefined {
  const targets = records.ports.get(key)
  if (!targets?.length) return undefined
  const weight = Math.max(1, Math.floor(100 / targets.length))
  const target = (host: string): string => (host === '' ? serviceName : `${host}.${serviceName}`)
  return {
    records: targets.map(({ host, port }): ResourceRecord => ({ name: '', ttl: settings.ttl, type: 'SRV', priority: 0, weight, port, target: target(host) })),
    additional: [...new Set(targets.map(({ host }) => host))].flatMap((host) => addresses(target(host), host === '' ? records.addresses : (records.hosts.get(host) ?? []), settings)),
  }
}

/** `10-244-1-5.<ns>.pod.<zone>`: deprecated by the specification and required by it; any address is answered, without asking whether there is such a pod. */
function podName(label: string, settings: LookupSettings): Found | undefined {
  const v4 = label.replaceAll('-', '.')
  if (ipaddr.IPv4.isValidFourPartDecimal(v4)) return { records: addresses('', [v4], settings) }
  const v6 = label.replaceAll('-', ':')
  return ipaddr.IPv6.isValid(v6) ? { records: addresses('', [v6], settings) } : undefined
}

function reverse(zone: Zone, settings: LookupSettings, name: string, lower: string, type: string): Lookup | undefined {
  const pointers = zone.pointers(lower)
  if (pointers.length === 0) return undefined
  const answers = type === 'PTR' || type === 'ANY' ? pointers.map((target): ResourceRecord => ({ name, ttl: settings.ttl, type: 'PTR', target: `${target}.${settings.zone}` })) : []
  return { rcode: 'NOERROR', answers, authority: answers.length > 0 ? [] : [soa(zone, settings)], additional: [] }
}

function addresses(name: string, list: readonly string[], { ttl }: LookupSettings): ResourceRecord[] {
  return list.map((address) => ({ name, ttl, type: address.includes(':') ? 'AAAA' : 'A', address }))
}

function soa(zone: Zone, settings: LookupSettings): ResourceRecord {
  return { name: settings.zone, ttl: settings.ttl, type: 'SOA', mname: `ns.dns.${settings.zone}`, rname: `hostmaster.${settings.zone}`, serial: zone.serial, refresh: 7200, retry: 1800, expire: 86400, minimum: settings.ttl }
}
