import type { Socket } from 'node:net'
import { type NetAnswer, parseNetAnswer } from '@berth/native'

/** The daemon's end of the plugin's conversation (packages/native/README.md, "As the CNI plugin"). Every method rejects when the plugin is gone. */
export class PluginConnection {
  readonly #socket: Socket
  #pending = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk])
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end).on('close', end).on('error', end)
  }

  /** The environment and the configuration the plugin was called with. */
  async readCall(): Promise<{ env: Map<string, string>; conf: string }> {
    const env = new Map<string, string>()
    const greeting = await this.#line()
    if (greeting !== 'cni 1') throw new Error(`unknown protocol: ${JSON.stringify(greeting.slice(0, 100))}`)
    for (;;) {
      const line = await this.#line()
      const variable = /^env ([A-Z_]+)=(.*)$/.exec(line)
      if (variable?.[1] !== undefined) {
        env.set(variable[1], variable[2] ?? '')
        continue
      }
      const length = /^conf (\d{1,7})$/.exec(line)
      if (!length) throw new Error(`unknown line: ${JSON.stringify(line.slice(0, 100))}`)
      return { env, conf: (await this.#bytes(Number(length[1]))).toString() }
    }
  }

  /** Has the plugin execute actions, in order. */
  async execute(actions: readonly string[]): Promise<NetAnswer> {
    this.#socket.write(`do\n${actions.map((line) => `${line}\n`).join('')}run\n`)
    let text = ''
    for (;;) {
      const line = await this.#line()
      text += `${line}\n`
      if (line === 'ok' || line.startsWith('error ')) return parseNetAnswer(text)
    }
  }

  /** Ends the conversation: the plugin prints this and exits with the code. */
  finish(exitCode: number, result: string): void {
    const bytes = Buffer.from(result)
    this.#socket.end(Buffer.concat([Buffer.from(`result ${exitCode} ${bytes.length}\n`), bytes]))
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf(10)
      if (end >= 0) return this.#take(end + 1).subarray(0, end).toString()
      if (this.#pending.length > 1 << 16) throw new Error('a line is too long')
      await this.#more()
    }
  }

  async #bytes(length: number): Promise<Buffer> {
    while (this.#pending.length < length) await this.#more()
    return this.#take(length)
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length)
    this.#pending = this.#pending.subarray(length)
    return taken
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new Error('the plugin went away')
    await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}
