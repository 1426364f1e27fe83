import net from 'node:net'

type Reply = string | number | null | Reply[]

/** Reads one reply of the Redis protocol (RESP2) at an offset; undefined while it is not whole. */
function parse(buffer: Buffer, at: number): { value: Reply; next: number } | undefined {
  const end = buffer.indexOf('\r\n', at)
  if (end < 0) return undefined
  const line = buffer.toString('utf8', at + 1, end)
  const next = end + 2
  switch (String.fromCharCode(buffer[at] ?? 0)) {
    case '+': return { value: line, next }
    case ':': return { value: Number(line), next }
    case '-': throw new Error(line)
    case '$': {
      const length = Number(line)
      if (length < 0) return { value: null, next }
      if (buffer.length < next + length + 2) return undefined
      return { value: buffer.toString('utf8', next, next + length), next: next + length + 2 }
    }
    case '*': {
      const items: Reply[] = []
      let position = next
      for (let i = 0; i < Number(line); i++) {
        const item = parse(buffer, position)
        if (!item) return undefined
        items.push(item.value)
        position = item.next
      }
      return { value: items, next: position }
    }
    default: throw new Error(`not a Redis reply: ${JSON.stringify(line)}`)
  }
}

/** Sends one command to a Redis server and gives its reply; an error of the server or the network is thrown. */
export function redis(host: string, port: number, ...command: string[]): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = net.createConnection({ host, port })
    let received: Buffer = Buffer.alloc(0)
    socket.setTimeout(2000, () => socket.destroy(new Error(`${host}:${port} does not answer`)))
    socket.on('error', reject)
    socket.on('connect', () => socket.write(`*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      try {
        const reply = parse(received, 0)
        if (!reply) return
        resolve(reply.value)
        socket.destroy()
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)))
      }
    })
    socket.on('close', () => reject(new Error(`${host}:${port} closed the connection`)))
  })
}
