import { errorText } from '../logging/create-logger.ts'
import type { HealthCheck } from './component-server.ts'

/** What a health endpoint answers. */
export interface HealthAnswer {
  status: number
  body: string
  /** Why a check failed, for the log: the answer itself withholds it, as upstream. */
  failures: string[]
}

/**
 * Answers `/healthz`, `/livez` or `/readyz` (`endpoint` without the slash) as apiserver's healthz package does: `ok`, or a line for each check
 * where `?verbose` asks for it or one failed; `rest` is what follows in the path and asks for one check alone.
 */
export async function healthAnswer(endpoint: string, checks: Readonly<Record<string, HealthCheck>>, rest: string, query: URLSearchParams): Promise<HealthAnswer> {
  const all: [string, HealthCheck][] = [['ping', () => {}], ...Object.entries(checks).filter(([name]) => name !== 'ping')]
  if (rest !== '') {
    const check = all.find(([name]) => name === rest)?.[1]
    if (check === undefined) return { status: 404, body: '404 page not found\n', failures: [] }
    const reason = await failureOf(check)
    return reason === undefined ? { status: 200, body: 'ok', failures: [] } : { status: 500, body: `internal server error: ${reason}\n`, failures: [`${rest}: ${reason}`] }
  }
  const excluded = new Set(query.getAll('exclude').flatMap((names) => names.split(',')).filter((name) => name !== ''))
  const failures: string[] = []
  let report = ''
  for (const [name, check] of all) {
    if (excluded.delete(name)) {
      report += `[+]${name} excluded: ok\n`
      continue
    }
    const reason = await failureOf(check)
    report += reason === undefined ? `[+]${name} ok\n` : `[-]${name} failed: reason withheld\n`
    if (reason !== undefined) failures.push(`${name}: ${reason}`)
  }
  if (excluded.size > 0) report += `warn: some health checks cannot be excluded: no matches for ${[...excluded].map((n) => JSON.stringify(n)).join(', ')}\n`
  if (failures.length > 0) return { status: 500, body: `${report}${endpoint} check failed\n`, failures }
  return { status: 200, body: query.has('verbose') ? `${report}${endpoint} check passed\n` : 'ok', failures }
}

async function failureOf(check: HealthCheck): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return errorText(error)
  }
}
