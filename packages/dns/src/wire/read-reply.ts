import { labelBytes, readName, skipName } from './names.ts'
import { rcodeName, type RecordData, type ResourceRecord, typeName } from './records.ts'

/** Another resolver's answer, as far as it goes into one of ours. */
export interface Reply {
  rcode: string
  truncated: boolean
  answers: ResourceRecord[]
  /** Its SOA, if there is any. */
  authority: ResourceRecord[]
}

/** Reads an answer. Throws RangeError for a malformed one. */
export function readReply(bytes: Buffer): Reply {
  const flags = bytes.readUInt16BE(2)
  let at = 12
  for (let i = bytes.readUInt16BE(4); i > 0; i--) at = skipName(bytes, at) + 4
  const sections: ResourceRecord[][] = []
  for (const count of [bytes.readUInt16BE(6), bytes.readUInt16BE(8)]) {
    const records: ResourceRecord[] = []
    // A truncated answer may announce more than it holds.
    for (let i = 0; i < count && at < bytes.length; i++) {
      const { record, next } = readRecord(bytes, at)
      if (record) records.push(record)
      at = next
    }
    sections.push(records)
  }
  const [answers = [], authority = []] = sections
  return { rcode: rcodeName(flags & 15), truncated: (flags & 0x200) !== 0, answers, authority: authority.filter((record) => record.type === 'SOA') }
}

function readRecord(bytes: Buffer, start: number): { record: ResourceRecord | undefined; next: number } {
  const { name, next: at } = readName(bytes, start)
  const number = bytes.readUInt16BE(at)
  const dataAt = at + 10
  const next = dataAt + bytes.readUInt16BE(at + 8)
  if (next > bytes.length) throw new RangeError('a record is cut off')
  if (bytes.readUInt16BE(at + 2) !== 1) return { record: undefined, next }
  const ttl = bytes.readUInt32BE(at + 4)
  return { record: { name, ttl, ...readData(bytes, number, dataAt, next) }, next }
}

// Names within the data of old types may be compressed (RFC 3597, 4): they have to be written anew. All others go on as they are.
function readData(bytes: Buffer, number: number, at: number, end: number): RecordData {
  const type = typeName(number)
  switch (type) {
    case 'CNAME':
    case 'NS':
    case 'PTR': return { type, target: readName(bytes, at).name }
    case 'SOA': {
      const { name: mname, next } = readName(bytes, at)
      const { name: rname, next: numbers } = readName(bytes, next)
      const number32 = (offset: number): number => bytes.readUInt32BE(numbers + offset)
      return { type, mname, rname, serial: number32(0), refresh: number32(4), retry: number32(8), expire: number32(12), minimum: number32(16) }
    }
    case 'SRV':
    case 'MX': {
      const fixed = type === 'SRV' ? 6 : 2
      return raw(number, Buffer.concat([bytes.subarray(at, at + fixed), wireName(readName(bytes, at + fixed).name)]))
    }
    default: return raw(number, Buffer.from(bytes.subarray(at, end)))
  }
}

function raw(number: number, data: Uint8Array): RecordData {
  return { type: 'RAW', number, data }
}

function wireName(name: string): Buffer {
  const labels = name === '' ? [] : name.split('.').map((label) => Buffer.from(labelBytes(label), 'latin1'))
  return Buffer.concat([...labels.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.from([0])])
}
