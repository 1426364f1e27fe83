// Watches for tests: what was told, line by line.
import https from 'node:https'
import { adminToken } from './harness.ts'

export interface WatchedObject { kind: string, metadata: { name: string, resourceVersion: string }, data?: Record<string, string>, code?: number }

export interface Watching {
  readonly events: { type: string, object: WatchedObject }[]
  /** Resolves when the stream is over. */
  readonly ended: Promise<void>
  /** Resolves once the events fit; rejects when the stream ends before. */
  until(fits: (events: Watching['events']) => boolean): Promise<void>
  stop(): void
}

/** Watches a path (with its query) as the administrator. Resolves once the server has answered. */
export function watching(port: number, path: string): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const request = https.get({ host: '127.0.0.1', port, path, agent: false, rejectUnauthorized: false, headers: { authorization: `Bearer ${adminToken}` } }, (response) => {
      const events: Watching['events'] = []
      const checks = new Set<() => void>()
      let over = false
      let text = ''
      const ended = new Promise<void>((done) => {
        const end = (): void => {
          over = true
          for (const check of checks) check()
          done()
        }
        response.on('end', end)
        response.on('error', end)
        response.on('close', end)
      })
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const lines = text.split('\n')
        text = lines.pop() ?? ''
        for (const line of lines) if (line !== '') events.push(JSON.parse(line) as Watching['events'][number])
        for (const check of checks) check()
      })
      resolve({
        events, ended,
        until: (fits) => new Promise((done, fail) => {
          const check = (): void => {
            if (fits(events)) done()
            else if (over) fail(new Error(`the watch ended after ${events.length} events`))
            else return
            checks.delete(check)
          }
          checks.add(check)
          check()
        }),
        stop: () => { request.destroy() },
      })
    })
    request.on('error', reject)
  })
}
