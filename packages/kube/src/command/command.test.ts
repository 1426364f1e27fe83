import { describe, expect, test } from 'vitest'
import { CommandError, defineCommand, runCommand } from './define-command.ts'
import { formatDuration, parseDuration } from './duration.ts'

async function run(argv: string[], act?: (flags: Record<string, unknown>) => number): Promise<{ code: number; out: string; err: string; flags?: Record<string, unknown>; rest?: string[]; given?: string[] }> {
  let out = ''
  let err = ''
  let seen: Record<string, unknown> | undefined
  let rest: string[] | undefined
  let given: string[] | undefined
  const command = defineCommand({
    name: 'berth demo', summary: 'Shows flags.', positionals: argv.includes('refuse') ? undefined : 'NAME',
    flags: {
      'node-name': { type: 'string', description: 'The node.', short: 'n' },
      'leader-elect': { type: 'boolean', default: true, description: 'Elect.' },
      quick: { type: 'boolean', short: 'q', description: 'Quick.' },
      workers: { type: 'number', default: 5, description: 'Workers.' },
      grace: { type: 'duration', default: '50s', description: 'Grace.' },
      cidrs: { type: 'string[]', default: ['10.0.0.0/8'], description: 'Ranges.' },
    },
    run: async (flags, positionals, io) => {
      seen = { ...flags }
      rest = positionals
      given = [...io.given]
      return act?.(seen) ?? 0
    },
  })
  const io = { stdout: { write: (t: unknown) => { out += String(t) } }, stderr: { write: (t: unknown) => { err += String(t) } }, signal: new AbortController().signal }
  const code = await runCommand(command, argv, io)
  return { code, out, err, ...(seen === undefined ? {} : { flags: seen }), ...(rest === undefined ? {} : { rest }), ...(given === undefined ? {} : { given }) }
}

describe('flags that are understood', () => {
  const cases: [string, string[], Record<string, unknown>][] = [
    ['defaults', [], { 'node-name': undefined, 'leader-elect': true, quick: false, workers: 5, grace: 50_000, cidrs: ['10.0.0.0/8'] }],
    ['a value after a space', ['--node-name', 'a'], { 'node-name': 'a' }],
    ['a value after an equals sign, which may hold more of them', ['--node-name=a=b'], { 'node-name': 'a=b' }],
    ['a boolean switched off', ['--leader-elect=false'], { 'leader-elect': false }],
    ['an underscore for a dash', ['--leader_elect=F'], { 'leader-elect': false }],
    ['short flags in each spelling', ['-qna', '-v=3'], { quick: true, 'node-name': 'a', v: 3 }],
    ['a duration of several units', ['--grace', '1m30.5s'], { grace: 90_500 }],
    ['lists that replace the default and add up', ['--cidrs=a,b', '--cidrs', 'c'], { cidrs: ['a', 'b', 'c'] }],
    ['the last of several scalars', ['--workers=1', '--workers=2'], { workers: 2 }],
  ]
  test.each(cases)('%s', async (_name, argv, want) => {
    const got = await run(argv)
    expect(got.err).toBe('')
    expect(got.code).toBe(0)
    expect(got.flags).toMatchObject(want)
  })

  test('what follows -- is positional, and what was given is known', async () => {
    const got = await run(['a', '--workers', '1', '--', '--quick'])
    expect(got.rest).toEqual(['a', '--quick'])
    expect(got.given).toEqual(['workers'])
  })
})

describe('flags that are refused, in upstream’s words', () => {
  test.each([
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['--node-name'], 'flag needs an argument: --node-name'],
    [['-qn'], "flag needs an argument: 'n' in -qn"],
    [['--quick=maybe'], 'invalid argument "maybe" for "-q, --quick" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [['--workers=many'], 'invalid argument "many" for "--workers" flag: strconv.ParseInt: parsing "many": invalid syntax'],
    [['--grace=5'], 'invalid argument "5" for "--grace" flag: time: missing unit in duration "5"'],
    [['--grace=5y'], 'invalid argument "5y" for "--grace" flag: time: unknown unit "y" in duration "5y"'],
    [['--=x'], 'bad flag syntax: --=x'],
    [['refuse', 'b'], '"berth demo" does not take any arguments, got ["refuse" "b"]'],
  ])('%j', async (argv, message) => {
    const got = await run(argv)
    expect(got).toMatchObject({ code: 1, out: '', err: `Error: ${message}\nSee 'berth demo --help' for usage.\n` })
    expect(got.flags).toBeUndefined()
  })
})

test('help names every flag with its type and default, and does not run', async () => {
  const got = await run(['--help'])
  expect(got.code).toBe(0)
  expect(got.flags).toBeUndefined()
  expect(got.out).toContain('Usage:\n  berth demo [flags] NAME\n')
  expect(got.out).toMatch(/^ {2}-n, --node-name string +The node\.$/m)
  expect(got.out).toMatch(/^ {6}--grace duration +Grace\. \(default 50s\)$/m)
  expect(got.out).toMatch(/^ {6}--cidrs strings +Ranges\. \(default \[10\.0\.0\.0\/8\]\)$/m)
  expect(got.out).toMatch(/^ {2}-h, --help/m)
})

test('an error ends with status 1 and a log line, a CommandError with its own status and message', async () => {
  const failed = await run([], () => { throw new Error('no such file') })
  expect(failed.code).toBe(1)
  expect(failed.err).toMatch(/^E.*\] "command failed" err="no such file"\n$/)
  expect(await run([], () => { throw new CommandError('not running', 3) })).toMatchObject({ code: 3, err: 'Error: not running\n' })
})

test('durations print as Go prints them', () => {
  const cases: [string, string][] = [['0', '0s'], ['90s', '1m30s'], ['1h', '1h0m0s'], ['1500ms', '1.5s'], ['250us', '250µs'], ['-2s', '-2s'], ['100ms', '100ms']]
  for (const [text, printed] of cases) expect(formatDuration(parseDuration(text))).toBe(printed)
})
