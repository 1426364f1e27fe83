// Many writers, and what may be there of what they wrote.
import { configMap } from './harness.ts'
import type { Send } from './harness.ts'

const collection = '/api/v1/namespaces/default/configmaps'
const lastStep = 5

/** What was acknowledged of an object (a step, or that it is gone), when, and what was asked for after that without an answer. */
export interface Fate {
  acknowledged: number | 'none' | 'gone'
  /** Seconds of the wall clock, not too early. */
  at: number
  unanswered: number | 'gone' | undefined
  /** Every acknowledged step with its time. */
  history: { step: number | 'gone', at: number, revision: number }[]
}

export interface Writing {
  readonly fates: Map<string, Fate>
  /** Successful answers so far. */
  readonly acknowledged: number
  /** Lets every writer finish its request, and end. */
  stop(): Promise<void>
}

/**
 * Each writer makes an object, changes it step by step, takes every other one away, and goes on with the next. What fails is let be: nobody knows what came of it. `server` says
 * whom to ask; a writer whose request fails asks again there. `name` must be another one for each call.
 */
export function writeSteadily(count: number, name: string, server: () => Send): Writing {
  const fates = new Map<string, Fate>()
  let stopped = false
  let acknowledged = 0
  const writer = async (id: number): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      const object = `${name}-${id}-${n}`
      const fate: Fate = { acknowledged: 'none', at: 0, unanswered: undefined, history: [] }
      fates.set(object, fate)
      const steps: (number | 'gone')[] = [...Array.from({ length: lastStep + 1 }, (_, step) => step), ...(n % 2 === 0 ? ['gone' as const] : [])]
      for (const step of steps) {
        if (stopped) return
        fate.unanswered = step
        const answer = await ask(server(), object, step)
        if (answer === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 20))
          break
        }
        acknowledged++
        // A millisecond more, since the clock gives whole ones.
        fate.at = (Date.now() + 1) / 1000
        fate.acknowledged = step
        fate.unanswered = undefined
        fate.history.push({ step, at: fate.at, revision: answer })
      }
    }
  }
  const writers = Array.from({ length: count }, (_, id) => writer(id))
  return {
    fates,
    get acknowledged() { return acknowledged },
    async stop() {
      stopped = true
      await Promise.all(writers)
    },
  }
}

/** The revision of the answer; undefined where there was none, or a failure. */
async function ask(send: Send, object: string, step: number | 'gone'): Promise<number | undefined> {
  try {
    const answer = step === 0 ? await send('POST', collection, configMap(object, { step: '0' }))
      : step === 'gone' ? await send('DELETE', `${collection}/${object}`)
        : await send('PATCH', `${collection}/${object}`, { data: { step: String(step) } }, { 'content-type': 'application/merge-patch+json' })
    return answer.status < 300 ? Number(answer.body['metadata']?.['resourceVersion'] ?? 0) : undefined
  } catch {
    return undefined
  }
}

/** What is wrong with what is stored (object → step), given what was acknowledged up to a time (seconds; all of it when absent). */
export function wrongs(fates: ReadonlyMap<string, Fate>, stored: ReadonlyMap<string, number>, upTo = Infinity): string[] {
  const out: string[] = []
  for (const [object, fate] of fates) {
    const last = fate.history.findLast(({ at }) => at <= upTo)?.step ?? 'none'
    const found = stored.get(object)
    // What came after that time, answered or not, may be there too.
    const later = [...fate.history.filter(({ at }) => at > upTo).map(({ step }) => step), ...(fate.unanswered === undefined ? [] : [fate.unanswered])]
    const allowed = [last, ...later].map((step) => (step === 'none' || step === 'gone' ? undefined : step))
    if (!allowed.includes(found)) out.push(`${object}: stored ${String(found)}, acknowledged ${last}, then asked for ${later.join(', ') || 'nothing'}`)
  }
  return out
}

/** What a list has, as object → step. */
export async function storedSteps(send: Send): Promise<Map<string, number>> {
  const list = await send('GET', collection)
  if (list.status !== 200) throw new Error(`the list was answered with ${list.status}: ${list.text}`)
  return new Map((list.body['items'] as unknown as { metadata: { name: string }, data?: { step?: string } }[]).map((item) => [item.metadata.name, Number(item.data?.step)]))
}
