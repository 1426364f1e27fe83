import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineMissing, startEngine, type TestEngine } from '../../../packages/cri-docker/test/support/engine.ts'
import { type Contender, engineForCriDockerd, startContainerd, startCriDockerd, startOurs } from '../cri/contenders.ts'
import { type Figures, measure } from '../cri/measure.ts'
import type { Bench } from '../main.ts'
import type { Row } from '../table.ts'

const levels = [1, 30, 110]

type Starter = (engine: TestEngine) => Promise<Contender | undefined>

/** Starts every contender that is here, each on an Engine of its own, measures them in turns, and ends everything. */
async function run(starters: readonly Starter[], rounds: number, log: (line: string) => void): Promise<{ names: string[]; figures: Figures[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  const engines: TestEngine[] = []
  const contenders: Contender[] = []
  try {
    for (const start of starters) {
      const engine = await startEngine({ configuration: start === startCriDockerd ? engineForCriDockerd(directory) : {} })
      engines.push(engine)
      const contender = await start(engine)
      if (contender) contenders.push(contender)
    }
    return { names: contenders.map(({ name }) => name), figures: await measure(contenders, levels, rounds, log) }
  } finally {
    for (const contender of contenders) await contender.stop()
    for (const engine of engines) await engine.stop()
    rmSync(directory, { recursive: true, force: true })
    removeLeftovers()
  }
}

/** The pods' cgroups, which kubelets make and remove, and their logs. */
function removeLeftovers(): void {
  rmSync('/tmp/berth-bench-logs', { recursive: true, force: true })
  const remove = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) remove(join(directory, entry.name))
    rmdirSync(directory)
  }
  const mount = '/sys/fs/cgroup'
  for (const hierarchy of ['', ...readdirSync(mount)]) {
    const directory = join(mount, hierarchy, `berth-bench-${process.pid}`)
    if (existsSync(directory)) remove(directory)
  }
}

/** The runtime shim's calls at 1, 30 and 110 pods, each contender on an Engine of its own. */
export const cri: Bench = {
  summary: 'CRI calls at 1, 30 and 110 pods (peers: cri-dockerd on an Engine like ours, containerd’s own CRI)',
  async run({ runs, log }) {
    const missing = engineMissing() || (existsSync('/usr/lib/cni/bridge') ? '' : 'needs the CNI plugins in /usr/lib/cni')
    if (missing !== '') {
      log(`cri is skipped: ${missing}`)
      return []
    }
    const { names, figures } = await run([startOurs, startCriDockerd, startContainerd], runs * 4, log)
    const [ours = new Map()] = figures
    const present = names.slice(1).map((name, index): [string, Figures | undefined] => [name, figures[index + 1]])
    const rows: Row[] = []
    for (const [what, { unit, values }] of ours) {
      if (present.length === 0) rows.push({ what, unit, ours: values })
      for (const [peer, measured] of present) {
        const theirs = measured?.get(what)?.values
        rows.push({ what: `${what} (${peer})`, unit, ours: values, ...(theirs ? { peer: theirs } : {}) })
      }
    }
    return rows
  },
}
