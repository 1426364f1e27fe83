import { open } from 'node:fs/promises'
import { parseCriLine } from './cri-format.ts'

const blockBytes = 16 * 1024
const newline = 0x0a

/** The offset in the file where its last `lines` lines begin. */
export async function tailOffset(file: { read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }> }, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size
  let position = size
  let seen = 0
  const block = Buffer.alloc(blockBytes)
  while (position > 0) {
    const length = Math.min(blockBytes, position)
    position -= length
    const { bytesRead } = await file.read(block, 0, length, position)
    for (let i = bytesRead - 1; i >= 0; i--) {
      // The newline that ends the file's last line ends no line before it.
      if (block[i] !== newline || position + i === size - 1) continue
      if (++seen === lines) return position + i + 1
    }
  }
  return 0
}

/** The text of the last lines of a CRI log, at most `bytes` of it. */
export async function readTail(path: string, lines: number, bytes: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    // A record holds its time and stream besides the text; four times the bytes is enough to cut from.
    const start = Math.max(await tailOffset(file, size, lines), size - bytes * 4)
    const buffer = Buffer.alloc(size - start)
    await file.read(buffer, 0, buffer.length, start)
    const texts: string[] = []
    for (const line of buffer.toString('utf8').split('\n')) {
      try {
        const parsed = parseCriLine(Buffer.from(line))
        texts.push(parsed.data.toString('utf8') + (parsed.partial ? '' : '\n'))
      } catch {
        // The first line may be cut in the middle.
      }
    }
    return Buffer.from(texts.join('')).subarray(-bytes).toString('utf8')
  } finally {
    await file.close()
  }
}
