// /healthz, /livez and /readyz with ?verbose and single checks, as upstream prints them.
import type { ApiResponse } from '../interfaces.ts'
import { textResponse } from './respond.ts'

export interface HealthCheck {
  name: string
  /** Which endpoints ask it. */
  for: readonly ('healthz' | 'livez' | 'readyz')[]
  /** Throws when something is wrong. */
  check(): void | Promise<void>
}

/** Answers a health path (`/readyz`, `/readyz/ping`), undefined when it is none. */
export async function healthResponse(path: string, query: URLSearchParams, checks: readonly HealthCheck[]): Promise<ApiResponse | undefined> {
  const match = /^\/(healthz|livez|readyz)(?:\/(.+?))?\/?$/.exec(path)
  const endpoint = match?.[1] as 'healthz' | 'livez' | 'readyz' | undefined
  if (!endpoint) return undefined
  const mine = checks.filter((c) => c.for.includes(endpoint))
  const single = match?.[2]
  if (single !== undefined) {
    const found = mine.find((c) => c.name === single)
    if (!found) return textResponse(404, '404 page not found\n')
    const problem = await failureOf(found)
    return problem === undefined ? textResponse(200, 'ok') : textResponse(500, `internal server error: ${problem}\n`)
  }
  const excluded = new Set(query.getAll('exclude'))
  const lines: string[] = []
  const failed: string[] = []
  const problems = await Promise.all(mine.map((check) => (excluded.has(check.name) ? undefined : failureOf(check))))
  for (const [i, check] of mine.entries()) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    if (problems[i] === undefined) lines.push(`[+]${check.name} ok`)
    else {
      failed.push(check.name)
      lines.push(`[-]${check.name} failed: reason withheld`)
    }
  }
  if (excluded.size > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${[...excluded].map((e) => JSON.stringify(e)).join(',')}`)
  if (failed.length > 0) return textResponse(500, `${lines.join('\n')}\n${endpoint} check failed\n`)
  if (!query.has('verbose')) return textResponse(200, 'ok')
  return textResponse(200, `${lines.join('\n')}\n${endpoint} check passed\n`)
}

async function failureOf(check: HealthCheck): Promise<string | undefined> {
  try {
    await check.check()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
