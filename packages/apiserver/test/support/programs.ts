// Programs of the field that run beside the server under test, as they are.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** Where a program is; undefined, with the reason printed, where this machine has none. */
export function findProgram(name: string): string | undefined {
  const found = [process.env['KUBEBUILDER_ASSETS'] ?? '', '/usr/local/kubebuilder/bin', ...(process.env['PATH'] ?? '').split(':')].map((place) => join(place, name)).find((path) => existsSync(path))
  if (found === undefined) console.log(`skipped: there is no ${name}`)
  return found
}

/** A port of the loopback interface that nothing listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** A program that runs until it is stopped. */
export interface Program {
  /** What it has printed, on either stream. */
  log(): string
  /** Ends it and waits for its end. */
  stop(): Promise<void>
}

export function startProgram(path: string, args: readonly string[]): Program {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    log: () => text,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill()
      await ended
    },
  }
}
