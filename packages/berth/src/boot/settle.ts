import v8 from 'node:v8'
import vm from 'node:vm'

/** When the start is over, and when what came late is, too; milliseconds. */
const moments = [2500, 30_000] as const
/** A heap beyond this has more in it than what starting leaves behind, and collecting it would be felt. */
const largestHeap = 64 * 2 ** 20

/**
 * Gives back, once this thread has started, what starting took: modules' sources, compiled code that ran once, a young generation that grew. V8 collects
 * what is old only when more is needed, and an idle process never needs more: its idle memory would be that of its start. Keeps no process alive.
 */
export function settleAfterStart(): void {
  for (const moment of moments) setTimeout(collect, moment).unref()
}

function collect(): void {
  if (process.memoryUsage().heapUsed > largestHeap) return
  v8.setFlagsFromString('--expose-gc')
  const gc = vm.runInNewContext('gc') as (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
