// What any answer of the server must be, whatever was asked.
import type { Answer } from './harness.ts'

/** Codes that upstream gives to requests that it does not like or cannot serve, and to those that happened to be good. */
const sensible = new Set([200, 201, 202, 301, 304, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 413, 414, 415, 417, 422, 429, 431, 501, 503, 504])

/** Words of the language, the platform and our files, which no client is to see. */
const insides = /Cannot (?:read|set|convert|destructure|mix)|is not (?:a function|iterable|defined|a constructor)|\bundefined\b(?! (?:field|behavior|to be structural))|\[object |Maximum call stack|Invalid (?:array|string) length|out of memory|ERR_[A-Z]|\.ts:\d|node:internal|    at |caused apiserver to panic|Reduce of empty|circular structure|BigInt|out of range index/

/** What upstream answers with 500 as well, though the client is to blame: errors of its merge libraries and of bindings, passed on as they are. */
const upstreams = /^(?:failed to create typed patch object|list element types are not identical|\[?target\.(?:kind|name): |unknown patch type: |expected a (?:\[\]|map\[string\])interface|map: map\[[^]*does not contain declared merge key)/

/** Why an answer is not acceptable; undefined when it is. */
export function problemOf(answer: Pick<Answer, 'status' | 'text' | 'headers'>): string | undefined {
  if (answer.status === 500 && upstreams.test(messageOf(answer.text))) return undefined
  if (!sensible.has(answer.status)) return `status ${answer.status}: ${answer.text.slice(0, 500)}`
  if (answer.status < 400) return undefined
  if (answer.text === '' || String(answer.headers['content-type'] ?? '').startsWith('text/plain')) return undefined
  let status: { kind?: unknown, message?: unknown, code?: unknown }
  try {
    status = JSON.parse(answer.text) as typeof status
  } catch {
    // A representation that was asked for.
    return insides.test(answer.text) ? `shows its insides: ${answer.text.slice(0, 500)}` : undefined
  }
  if (status.kind !== 'Status' || status.code !== answer.status || typeof status.message !== 'string') return `is no Status: ${answer.text.slice(0, 500)}`
  const shown = insides.exec(status.message)
  return shown ? `shows its insides (${shown[0]}): ...${status.message.slice(Math.max(0, shown.index - 200), shown.index + 300)}` : undefined
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message)
  } catch {
    return ''
  }
}
