/** Where progress is written. */
export interface ProgressOutput { write(text: string): unknown; readonly isTTY?: boolean }

/** A live display of what is being waited for: one line a step, with its time. On a terminal the current line is redrawn. */
export class Progress {
  readonly #out: ProgressOutput
  #current: { title: string; detail: string; started: number } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(out: ProgressOutput) {
    this.#out = out
  }

  /** Runs a step and shows it; `detail` replaces what stands behind its title. A failing step is marked and rethrown. */
  async step<T>(title: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T> {
    const step = { title, detail: '', started: performance.now() }
    this.#current = step
    if (this.#out.isTTY) {
      this.#draw('…')
      this.#timer = setInterval(() => this.#draw('…'), 200)
    }
    try {
      const result = await work((text) => {
        step.detail = text
        if (this.#out.isTTY) this.#draw('…')
      })
      this.#finish('✓')
      return result
    } catch (error) {
      this.#finish('✗')
      throw error
    }
  }

  #line(mark: string): string {
    const step = this.#current
    if (!step) return ''
    const seconds = ((performance.now() - step.started) / 1000).toFixed(1)
    return `${mark} ${step.title}${step.detail ? `  ${step.detail}` : ''}  ${seconds} s`
  }

  #draw(mark: string): void {
    this.#out.write(`\r\x1b[2K${this.#line(mark)}`)
  }

  #finish(mark: string): void {
    clearInterval(this.#timer)
    this.#out.write(this.#out.isTTY ? `\r\x1b[2K${this.#line(mark)}\n` : `${this.#line(mark)}\n`)
    this.#current = undefined
  }
}
