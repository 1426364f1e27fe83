import type { Clock, FakeClock } from './clock.ts'

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(fn, ms) {
    // Node turns delays beyond 2^31-1 ms into 1 ms; the queue and the informers never wait that long, but a caller's arithmetic may.
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), 0x7fffffff))
    return { cancel: () => clearTimeout(timer) }
  },
}

/** A clock for tests: time stands still until `advance`. */
export function fakeClock(start = 0): FakeClock {
  let time = start
  let sequence = 0
  const timers = new Map<number, { at: number; fn: () => void }>()

  const nextDue = (until: number): [number, { at: number; fn: () => void }] | undefined => {
    let found: [number, { at: number; fn: () => void }] | undefined
    for (const entry of timers) if (entry[1].at <= until && (found === undefined || entry[1].at < found[1].at)) found = entry
    return found
  }

  return {
    now: () => time,
    setTimeout(fn, ms) {
      sequence += 1
      const id = sequence
      timers.set(id, { at: time + Math.max(ms, 0), fn })
      return { cancel: () => { timers.delete(id) } }
    },
    get pending() { return timers.size },
    async advance(ms) {
      const until = time + ms
      await settle()
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        timers.delete(due[0])
        time = Math.max(time, due[1].at)
        due[1].fn()
        await settle()
      }
      time = until
      await settle()
    },
  }
}

/** Lets promise callbacks run that are ready, and those that they make ready. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal))
    const abort = (): void => {
      timer.cancel()
      reject(abortReason(signal))
    }
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', abort, { once: true })
  })
}

/** The reason of an aborted signal, as an Error. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new DOMException('This operation was aborted', 'AbortError')
}
