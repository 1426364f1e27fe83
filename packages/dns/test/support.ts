import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { decode as decodePacket, type DecodedPacket, encode, type RecordType } from 'dns-packet'

// The declarations forget the response code, which is there.
export function decode(message: Buffer): DecodedPacket & { rcode?: string } {
  return decodePacket(message)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return address && typeof address === 'object' ? address.port : 0
}

export async function askUdp(port: number, message: Buffer): Promise<ReturnType<typeof decode>> {
  const socket = createSocket('udp4')
  socket.send(message, port, '127.0.0.1')
  try {
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(10_000) })) as [Buffer]
    return decode(answer)
  } finally {
    socket.close()
  }
}

export async function askTcp(port: number, ...messages: Buffer[]): Promise<DecodedPacket[]> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.write(Buffer.concat(messages))
  const answers = await readAnswers(socket, messages.length)
  socket.destroy()
  return answers
}

/** The first answers that come over a connection. */
export async function readAnswers(socket: Socket, count: number): Promise<DecodedPacket[]> {
  let bytes = Buffer.alloc(0)
  const answers: DecodedPacket[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      answers.push(decode(bytes.subarray(2, 2 + bytes.readUInt16BE(0))))
      bytes = bytes.subarray(2 + bytes.readUInt16BE(0))
    }
    if (answers.length === count) break
  }
  return answers
}

export const question = (name: string, type: RecordType = 'A', id = 7) => ({ type: 'query' as const, id, flags: 0x100, questions: [{ name, type, class: 'IN' as const }] })
export const data = (packet: DecodedPacket | undefined) => packet?.answers?.map((record) => ('data' in record ? record.data : undefined))

/** What an upstream resolver sends back to a message; undefined: nothing. */
export type Respond = (message: Buffer, protocol: 'udp' | 'tcp') => Buffer | undefined

/** *.example.com has an address; all else does not exist. */
export const exampleCom: Respond = (message) => {
  const packet = decode(message)
  const name = packet.questions?.[0]?.name ?? ''
  const found = name.endsWith('example.com')
  return encode({ type: 'response', id: packet.id, flags: found ? 0x180 : 0x183, questions: packet.questions, answers: found ? [{ name, type: 'A', ttl: 77, data: '192.0.2.80' }] : [] })
}

export interface Upstream {
  port: number
  /** `udp name`, in the order of the questions. */
  asked: string[]
  close(): void
}

/** An upstream resolver, by UDP and TCP. */
export async function startUpstream(respond: Respond = exampleCom): Promise<Upstream> {
  const port = await freePort()
  const asked: string[] = []
  const serve = (message: Buffer, protocol: 'udp' | 'tcp'): Buffer | undefined => {
    asked.push(`${protocol} ${decode(message).questions?.[0]?.name}`)
    return respond(message, protocol)
  }
  const udp = createSocket('udp4').bind(port, '127.0.0.1')
  udp.on('message', (message, from) => {
    const answer = serve(message, 'udp')
    if (answer) udp.send(answer, from.port, from.address)
  })
  const tcp = createServer((socket) => socket.on('error', () => {}).on('data', (chunk: Buffer) => {
    const answer = serve(chunk.subarray(2), 'tcp')
    if (answer) socket.write(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 255]), answer]))
  })).listen(port, '127.0.0.1')
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  return { port, asked, close: () => { udp.close(); tcp.close() } }
}
