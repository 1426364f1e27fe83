import { expect, test } from 'vitest'
import { createLogger, errorText } from './create-logger.ts'

function collect(options: { verbosity?: number; format?: 'text' | 'json' }): { lines: string[]; logger: ReturnType<typeof createLogger> } {
  const lines: string[] = []
  return { lines, logger: createLogger({ name: 'kubelet', ...options, write: (line) => lines.push(line), now: () => new Date(2026, 0, 2, 15, 4, 5, 67).getTime() }) }
}

test('a text line has klog’s header and quoted pairs', () => {
  const { lines, logger } = collect({})
  logger.with({ node: 'n1' }).info('Started pod', { pod: { metadata: { namespace: 'a', name: 'b' } }, restarts: 3, why: 'say "hi"', none: undefined })
  expect(lines).toEqual([`I0102 15:04:05.067000 ${String(process.pid).padStart(7)} kubelet] "Started pod" node="n1" pod="a/b" restarts=3 why="say \\"hi\\"" none=<nil>\n`])
})

test('an error is written with its causes', () => {
  const { lines, logger } = collect({})
  logger.error(new Error('list pods', { cause: new Error('connect ECONNREFUSED') }), 'Sync failed', { attempt: 1 })
  expect(lines[0]).toMatch(/^E0102 .* kubelet\] "Sync failed" err="list pods: connect ECONNREFUSED" attempt=1\n$/)
})

test('lines above the verbosity are not written', () => {
  const { lines, logger } = collect({ verbosity: 2 })
  logger.v(2).info('shown')
  logger.v(3).info('hidden')
  expect(lines).toHaveLength(1)
  expect([logger.v(2).enabled, logger.v(3).enabled]).toEqual([true, false])
})

test('the json format is one object a line', () => {
  const { lines, logger } = collect({ format: 'json', verbosity: 4 })
  logger.v(4).info('Hello', { n: 1n, err: new Error('x') })
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'Hello', v: 4, n: '1', err: 'x' })
})

test('a writer that throws does not reach the caller', () => {
  const logger = createLogger({ name: 'x', write: () => { throw new Error('disk full') } })
  expect(() => logger.info('x')).not.toThrow()
})

test('the text of an aggregate names each error', () => {
  expect(errorText(new Error('dial', { cause: new AggregateError([new Error('a'), new Error('b')]) }))).toBe('dial: AggregateError: a, b')
})
