// pnpm bench [NAME...] [-o json] [--runs N]: runs the benchmarks of benches/ and prints their tables.
import { execFileSync } from 'node:child_process'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { renderTable, type Row } from './table.ts'

/** A benchmark: one file, one line here. */
export interface Bench {
  readonly summary: string
  run(options: { runs: number; size: number; log: (line: string) => void }): Promise<readonly Row[]>
}

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  up: async () => (await import('./benches/up.ts')).up,
  apiserver: async () => (await import('./benches/apiserver.ts')).apiserver,
  hollow: async () => (await import('./benches/hollow.ts')).hollow,
  cri: async () => (await import('./benches/cri.ts')).cri,
  scheduler: async () => (await import('./benches/scheduler.ts')).scheduler,
  'scheduler-whole': async () => (await import('./benches/scheduler-whole.ts')).schedulerWhole,
  extender: async () => (await import('./benches/extender.ts')).extender,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { output: { type: 'string', short: 'o', default: 'text' }, runs: { type: 'string', default: '5' }, size: { type: 'string', default: '1' }, help: { type: 'boolean', short: 'h' } },
})
const unknown = positionals.find((name) => !benches[name])
if (values.help || unknown !== undefined) {
  console.log(`${unknown === undefined ? '' : `There is no benchmark ${JSON.stringify(unknown)}.\n`}usage: pnpm bench [${Object.keys(benches).join(' | ')}]... [-o json] [--runs N] [--size N]`)
  process.exit(values.help ? 0 : 2)
}

let commit = 'unknown'
try {
  commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
} catch {
  // Not a clone: the tables say so.
}
const machine = { cpus: os.availableParallelism(), model: os.cpus()[0]?.model, memoryGiB: Math.round(os.totalmem() / 2 ** 30), kernel: os.release(), node: process.version, commit }
const results: Record<string, readonly Row[]> = {}
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  const bench = await benches[name]!()
  const log = values.output === 'json' ? (): void => undefined : (line: string): void => console.error(`  ${line}`)
  results[name] = await bench.run({ runs: Number(values.runs), size: Number(values.size), log })
  if (values.output !== 'json') console.log(`\n${renderTable(`${name}: ${bench.summary}`, results[name])}`)
}
if (values.output === 'json') console.log(JSON.stringify({ machine, results }, null, 2))
else console.log(`\n${machine.cpus} x ${machine.model ?? 'cpu'}, ${machine.memoryGiB} GiB, kernel ${machine.kernel}, Node ${machine.node}, commit ${machine.commit}`)
