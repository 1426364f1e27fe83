import { setTimeout as sleep } from 'node:timers/promises'

/** Asks until the answer is neither undefined nor false; a throwing question is one that has no answer yet. Fails with the last one. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined | false>, timeoutMs = 90_000): Promise<T> {
  const deadline = Date.now() + timeoutMs
  let last: unknown = 'no answer'
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`, { cause: last })
    await sleep(100)
  }
}
