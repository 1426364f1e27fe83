import { badRequest, invalid } from '../errors.ts'
import type { FieldErrorLike } from '../field-errors.ts'

/** A boolean query parameter: absent, `false` and `0` are false, all else is true. */
export function booleanOption(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && value.toLowerCase() !== 'false' && value !== '0'
}

/** An integer query parameter; undefined where it is absent or empty. Throws BadRequest in Go's words. */
export function integerOption(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (value === null || value === '') return undefined
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  return Number(value)
}

/** The kubelet's query for a log, out of PodLogOptions in the request's. Throws Invalid where they do not go together. */
export function logQuery(query: URLSearchParams, podName: string): URLSearchParams {
  const tailLines = integerOption(query, 'tailLines')
  const limitBytes = integerOption(query, 'limitBytes')
  const sinceSeconds = integerOption(query, 'sinceSeconds')
  const sinceTime = query.get('sinceTime') ?? ''
  const stream = query.get('stream') ?? ''
  const errors: FieldErrorLike[] = []
  if (tailLines !== undefined && tailLines < 0) errors.push({ type: 'Invalid', field: 'tailLines', badValue: tailLines, detail: 'must be greater than or equal to 0' })
  if (limitBytes !== undefined && limitBytes < 1) errors.push({ type: 'Invalid', field: 'limitBytes', badValue: limitBytes, detail: 'must be greater than 0' })
  if (sinceSeconds !== undefined && sinceTime !== '') errors.push({ type: 'Forbidden', field: '', detail: 'at most one of `sinceTime` or `sinceSeconds` may be specified' })
  if (sinceSeconds !== undefined && sinceSeconds < 1) errors.push({ type: 'Invalid', field: 'sinceSeconds', badValue: sinceSeconds, detail: 'must be greater than 0' })
  if (stream !== '' && !['All', 'Stdout', 'Stderr'].includes(stream)) errors.push({ type: 'NotSupported', field: 'stream', badValue: stream, detail: 'supported values: "All", "Stderr", "Stdout"' })
  if (tailLines !== undefined && stream !== '' && stream !== 'All') errors.push({ type: 'Forbidden', field: '', detail: '`tailLines` and specific `stream` are mutually exclusive for now' })
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, podName, errors)
  if (sinceTime !== '' && Number.isNaN(Date.parse(sinceTime))) throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00": cannot parse it`)
  const wanted = new URLSearchParams()
  for (const name of ['follow', 'previous', 'timestamps']) if (booleanOption(query, name)) wanted.set(name, 'true')
  if (sinceSeconds !== undefined) wanted.set('sinceSeconds', String(sinceSeconds))
  if (sinceTime !== '') wanted.set('sinceTime', sinceTime)
  if (tailLines !== undefined) wanted.set('tailLines', String(tailLines))
  if (limitBytes !== undefined) wanted.set('limitBytes', String(limitBytes))
  if (stream !== '' && stream !== 'All') wanted.set('stream', stream)
  return wanted
}

/** The kubelet's query for exec and attach. */
export function streamQuery(query: URLSearchParams, withCommand: boolean): URLSearchParams {
  const wanted = new URLSearchParams()
  for (const [from, to] of [['stdin', 'input'], ['stdout', 'output'], ['stderr', 'error'], ['tty', 'tty']] as const) if (booleanOption(query, from)) wanted.set(to, '1')
  if (withCommand) for (const part of query.getAll('command')) wanted.append('command', part)
  return wanted
}
