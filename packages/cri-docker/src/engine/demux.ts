import { Writable } from 'node:stream'

/**
 * Takes the Engine's multiplexed stream (of attach and exec without a terminal: an 8-byte header with the stream's number and the length before each piece) and writes
 * its pieces to the two outputs, as fast as those take them. Give `undefined` for an output that nobody wants.
 */
export class Demultiplexer extends Writable {
  private readonly outputs: readonly (Writable | undefined)[]
  private header = Buffer.alloc(0)
  private left = 0
  private target: Writable | undefined

  constructor(stdout: Writable | undefined, stderr: Writable | undefined) {
    super({ highWaterMark: 64 * 1024 })
    this.outputs = [stdout, stdout, stderr]
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    let rest = chunk
    const blocked = new Set<Writable>()
    while (rest.length > 0) {
      if (this.left === 0) {
        const needed = 8 - this.header.length
        this.header = Buffer.concat([this.header, rest.subarray(0, needed)])
        rest = rest.subarray(needed)
        if (this.header.length < 8) break
        this.target = this.outputs[this.header.readUInt8(0)]
        this.left = this.header.readUInt32BE(4)
        this.header = Buffer.alloc(0)
        continue
      }
      const piece = rest.subarray(0, this.left)
      this.left -= piece.length
      rest = rest.subarray(piece.length)
      const { target } = this
      if (target && !target.destroyed && !target.writableEnded && !target.write(piece)) blocked.add(target)
    }
    void Promise.all([...blocked].map(writable)).then(() => callback())
  }
}

/** Resolves when a stream takes more, or never will. */
export function writable(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writableNeedDrain) return resolve()
    const done = (): void => {
      for (const event of ['drain', 'close', 'error']) stream.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'close', 'error']) stream.on(event, done)
  })
}
