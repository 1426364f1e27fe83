import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Shim } from '../shim.ts'
import type { Change } from '../state/store.ts'

/** How long nothing may come from a container that has ended until its streams are taken to be over; milliseconds. */
const quietMs = 500

/** Calls back once when the container has ended; gives what ends the waiting. */
export function whenEnded(shim: Shim, id: string, ended: () => void): () => void {
  const onChange = ({ kind, record }: Change): void => {
    if (record.id === id && kind === 'stopped') done()
  }
  const forget = (): void => void shim.store.off('change', onChange)
  const done = (): void => {
    forget()
    ended()
  }
  shim.store.on('change', onChange)
  shim.store.container(id).then(
    (now) => now?.state !== 'running' && done(),
    () => {},
  )
  return forget
}

/**
 * The Engine ends streams with their container, but says nothing more on those that were made just after the container had ended. Whatever still waits to be read, by a
 * client who is slow, is read first.
 */
export async function endWhenQuiet(connection: Socket): Promise<void> {
  for (let seen = -1; !connection.destroyed && (connection.bytesRead !== seen || connection.readableLength > 0); ) {
    seen = connection.bytesRead
    await sleep(quietMs)
  }
  connection.destroy()
}
