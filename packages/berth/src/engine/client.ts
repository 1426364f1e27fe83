import { setTimeout as sleep } from 'node:timers/promises'
import Docker from 'dockerode'
import { TimeoutError } from '../errors.ts'
import type { Instance } from '../instance/instance.ts'
import type { Layout } from '../instance/layout.ts'

/** The Engine's address: the private one's socket, or what the user gave. */
export function dockerHostOf(layout: Layout, instance: Instance): string {
  return instance.dockerHost ?? `unix://${layout.engine.dockerSocket}`
}

/** A client of the Engine that an instance uses. Only unix sockets: what runs there shares this machine's kernel. */
export function engineClient(layout: Layout, instance: Instance): Docker {
  return new Docker({ socketPath: dockerHostOf(layout, instance).replace(/^unix:\/\//, '') })
}

/** Waits until the Engine answers; at most `timeoutMs`. */
export async function waitForEngine(docker: Docker, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      await docker.ping()
      return
    } catch (error) {
      if (signal?.aborted) throw error
      if (Date.now() > deadline) throw new TimeoutError('the Engine does not answer', { cause: error })
      await sleep(30)
    }
  }
}
