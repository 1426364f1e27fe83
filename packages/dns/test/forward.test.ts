import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { encode } from 'dns-packet'
import { afterEach, describe, expect, test } from 'vitest'
import { Forwarder } from '../src/forward/forward.ts'
import { data, decode, exampleCom, freePort, question, type Respond, startUpstream, type Upstream } from './support.ts'

const opened: Upstream[] = []
afterEach(() => {
  for (const upstream of opened.splice(0)) upstream.close()
})

async function upstream(respond: Respond): Promise<Upstream> {
  const started = await startUpstream(respond)
  opened.push(started)
  return started
}

const failing = (rcode: number): Respond => (message) => {
  const { id, questions } = decode(message)
  return encode({ type: 'response', id, flags: 0x180 | rcode, questions })
}
const query = encode(question('www.example.com'))
const to = (...ports: number[]): Forwarder => new Forwarder({ upstreams: async () => ports.map((port) => ({ address: '127.0.0.1', port })), timeoutMs: 500 })

describe.each(['udp', 'tcp'] as const)('a question by %s', (protocol) => {
  test.each([['SERVFAIL', 2], ['NOTIMP', 4], ['REFUSED', 5]])('that the first resolver answers with %s goes to the next one', async (_, rcode) => {
    const [bad, good] = [await upstream(failing(rcode)), await upstream(exampleCom)]
    const forwarder = to(bad.port, good.port)
    expect(data(decode(await forwarder.forward(query, protocol)))).toEqual(['192.0.2.80'])
    expect([bad.asked.length, good.asked.length]).toEqual([1, 1])
  })

  test('that nobody can answer gets the first one\'s answer', async () => {
    const [first, second] = [await upstream(failing(5)), await upstream(failing(2))]
    expect(decode(await to(first.port, second.port).forward(query, protocol)).rcode).toBe('REFUSED')
  })

  test('whose name does not exist is not asked again', async () => {
    const [first, second] = [await upstream(failing(3)), await upstream(exampleCom)]
    expect(decode(await to(first.port, second.port).forward(query, protocol)).rcode).toBe('NXDOMAIN')
    expect(second.asked).toEqual([])
  })

  test('goes to the next one where nobody listens', async () => {
    const good = await upstream(exampleCom)
    expect(data(decode(await to(await freePort(), good.port).forward(query, protocol)))).toEqual(['192.0.2.80'])
  })

  test('to an address that cannot be reached from here fails, and no more', async () => {
    const forwarder = new Forwarder({ upstreams: async () => [{ address: '2001:db8::1', port: 53 }, { address: '255.255.255.255', port: 53 }], timeoutMs: 200 })
    await expect(forwarder.forward(query, protocol)).rejects.toMatchObject({ reason: 'Upstream' })
  })

  test('is given up when the server stops', async () => {
    const silent = await upstream(() => undefined)
    const forwarder = new Forwarder({ upstreams: async () => [{ address: '127.0.0.1', port: silent.port }], timeoutMs: 60_000 })
    const answer = forwarder.forward(query, protocol)
    await expect.poll(() => silent.asked.length).toBe(1)
    forwarder.close()
    await expect(answer).rejects.toMatchObject({ reason: 'Upstream' })
  })
})

test('answers to other questions are passed over', async () => {
  const liar = createSocket('udp4').bind(0, '127.0.0.1')
  await once(liar, 'listening')
  liar.on('message', (message, from) => {
    const right = exampleCom(message, 'udp') ?? Buffer.alloc(0)
    const otherId = Buffer.from(right)
    otherId.writeUInt16BE((right.readUInt16BE(0) + 1) % 65536, 0)
    const otherName = Buffer.from(right)
    otherName.write('m', 13)
    for (const answer of [Buffer.alloc(0), Buffer.from('x'), right.subarray(0, 12), otherId, otherName, message, right]) liar.send(answer, from.port, from.address)
  })
  expect(data(decode(await to(liar.address().port).forward(query, 'udp')))).toEqual(['192.0.2.80'])
  liar.close()
})
