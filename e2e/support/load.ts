import http from 'node:http'

/** Steady requests to a page, one after the other on a few lines; every answer that is not 200 is kept. */
export class SteadyRequests {
  readonly failures: string[] = []
  answered = 0
  #running = true
  readonly #lines: Promise<void>[]

  constructor(url: string, lines = 4, pauseMs = 10) {
    this.#lines = Array.from({ length: lines }, async () => {
      while (this.#running) {
        await this.#one(url)
        await new Promise((resolve) => { setTimeout(resolve, pauseMs) })
      }
    })
  }

  /** Ends the requests; what is under way is still counted. */
  async stop(): Promise<void> {
    this.#running = false
    await Promise.all(this.#lines)
  }

  #one(url: string): Promise<void> {
    return new Promise((resolve) => {
      // A new connection each time: that is what a proxy's rules decide on.
      const request = http.get(url, { agent: false, timeout: 5000 }, (response) => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode === 200) this.answered++
          else this.failures.push(`status ${response.statusCode}`)
          resolve()
        })
        response.on('error', (error) => {
          this.failures.push(error.message)
          resolve()
        })
      })
      request.on('timeout', () => request.destroy(new Error('no answer in 5 s')))
      request.on('error', (error) => {
        this.failures.push(error.message)
        resolve()
      })
    })
  }
}
