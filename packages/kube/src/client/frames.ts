import { TransportError } from '../errors.ts'

/** The greatest single event; a server's own limit on objects is far below. */
const maximumFrame = 64 * 1024 * 1024

/** Splits a byte stream at newlines, over chunk borders; empty lines are left out. A last line without newline is a broken stream. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let pending: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end)
      const line = pending.length === 0 ? view(piece) : Buffer.concat([...pending, piece])
      pending = []
      size = 0
      start = end + 1
      if (line.length > 0) yield line.toString('utf8')
    }
    if (start >= chunk.length) continue
    size += chunk.length - start
    if (size > maximumFrame) throw new TransportError('broken', `an event of the watch is larger than ${maximumFrame} bytes`)
    pending.push(chunk.subarray(start))
  }
  if (pending.some((piece) => view(piece).toString().trim() !== '')) throw new TransportError('broken', 'the watch broke off inside an event')
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The whole body as text. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
