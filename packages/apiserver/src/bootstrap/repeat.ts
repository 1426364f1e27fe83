import type { ServerLog } from '../interfaces.ts'

/** Does `work` now (and throws what it throws), then again every `ms` until `signal` aborts; later failures are logged and the next turn tries again. */
export async function repeat(work: () => Promise<void>, ms: number, signal: AbortSignal, log: ServerLog, what: string): Promise<void> {
  await work()
  if (signal.aborted) return
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    work().catch((error: unknown) => { if (!signal.aborted) log.error(error, `Unable to ${what}`) }).finally(() => { busy = false })
  }, ms)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}
