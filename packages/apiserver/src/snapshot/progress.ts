// How far long work is: one line that is written over on a terminal, else a line now and then.
import type { CommandIo } from '@berth/kube'

const terminalMs = 100
const plainMs = 5_000

/** Tells on standard error; `end` leaves a terminal's line. */
export function progressOn(stderr: CommandIo['stderr'], now: () => number = Date.now): { told(what: string, count: number): void, end(): void } {
  const begun = now()
  let last = stderr.isTTY ? begun - terminalMs : begun
  let shown = false
  return {
    told(what, count) {
      if (now() - last < (stderr.isTTY ? terminalMs : plainMs)) return
      last = now()
      const line = `${count.toLocaleString('en-US')} ${what}`
      stderr.write(stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
      shown = true
    },
    end() {
      if (shown && stderr.isTTY) stderr.write('\r\u001b[K')
    },
  }
}
