// The YAML library, loaded when the first request speaks YAML: most servers never see one.
import { Worker } from 'node:worker_threads'
import type * as Yaml from 'yaml'
import type { Json } from '@berth/api'
import { jsonText } from '../registry/cached-object.ts'
import { parseYamlText } from './yaml-parse.ts'
import type { YamlOutcome } from './yaml-worker.ts'

/** Longer texts are parsed on a thread of their own, one at a time: a hostile one of 3 MiB takes the library half a minute, and nobody else is to wait for it. */
const inlineLength = 32 * 1024
const parseTimeoutMs = 30_000
const workerLimits = { maxOldGenerationSizeMb: 1024, stackSizeMb: 4 }
/** Longer answers, and what nests too deeply for the library, are written as JSON, which is YAML too. */
const styledLength = 256 * 1024

let library: typeof Yaml | undefined

/** Loads it. */
export async function loadYaml(): Promise<typeof Yaml> {
  library ??= await import('yaml')
  return library
}

/** A value as YAML. `loadYaml` must have resolved; the handler sees to it for requests that accept YAML. */
export function toYaml(value: unknown): string {
  if (!library) throw new Error('the YAML library is not loaded')
  const json = jsonText(value)
  if (json.length > styledLength) return `${json}\n`
  try {
    return library.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return `${json}\n`
    throw error
  }
}

/** The value of a YAML text. Rejects with a SyntaxError. */
export async function parseYaml(text: string): Promise<Json> {
  return text.length > inlineLength ? onThread(text) : parseYamlText(await loadYaml(), text)
}

let last: Promise<unknown> = Promise.resolve()

function onThread(text: string): Promise<Json> {
  const run = last.then(() => parseOnce(text))
  last = run.catch(() => {})
  return run
}

function parseOnce(text: string): Promise<Json> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./yaml-worker.ts', import.meta.url), { workerData: text, resourceLimits: workerLimits })
    const fail = (problem: string): void => reject(new SyntaxError(problem))
    const timer = setTimeout(() => {
      fail('yaml: document takes too long to parse')
      void worker.terminate()
    }, parseTimeoutMs)
    worker.once('message', (outcome: YamlOutcome) => {
      if ('value' in outcome) resolve(outcome.value)
      else fail(outcome.problem)
    })
    // Out of memory, most likely.
    worker.once('error', () => fail('yaml: document excessively large'))
    worker.once('exit', () => {
      clearTimeout(timer)
      fail('yaml: document cannot be parsed')
    })
  })
}
