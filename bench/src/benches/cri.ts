import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineMissing, startEngine } from '../../../packages/cri-docker/test/support/engine.ts'
import { type Contender, engineForCriDockerd, startContainerd, startCriDockerd, startOurs } from '../cri/contenders.ts'
import { type Figures, measure } from '../cri/measure.ts'
import type { Bench } from '../main.ts'
import type { Row } from '../table.ts'

const levels = [1, 30, 110]

/** Runs one contender on an Engine of its own. */
async function run(start: (engine: Awaited<ReturnType<typeof startEngine>>) => Promise<Contender | undefined>, rounds: number, log: (line: string) => void): Promise<Figures | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  const engine = await startEngine({ configuration: start === startCriDockerd ? engineForCriDockerd(directory) : {} })
  try {
    const contender = await start(engine)
    if (!contender) return undefined
    try {
      return await measure(contender, levels, rounds, log)
    } finally {
      await contender.stop()
    }
  } finally {
    await engine.stop()
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
  summary: 'CRI calls at 1, 30 and 110 pods (peers: cri-dockerd on the same Engine, containerd’s own CRI)',
  async run({ runs, log }) {
    const missing = engineMissing() || (existsSync('/usr/lib/cni/bridge') ? '' : 'needs the CNI plugins in /usr/lib/cni')
    if (missing !== '') {
      log(`cri is skipped: ${missing}`)
      return []
    }
    const rounds = runs * 4
    const ours = (await run(startOurs, rounds, log)) ?? new Map()
    const peers: [string, Figures | undefined][] = [
      ['cri-dockerd', await run(startCriDockerd, rounds, log)],
      ['containerd', await run(startContainerd, rounds, log)],
    ]
    const present = peers.filter(([, figures]) => figures !== undefined)
    const rows: Row[] = []
    for (const [what, { unit, values }] of ours) {
      if (present.length === 0) rows.push({ what, unit, ours: values })
      for (const [peer, figures] of present) {
        const theirs = figures?.get(what)?.values
        rows.push({ what: `${what} (${peer})`, unit, ours: values, ...(theirs ? { peer: theirs } : {}) })
      }
    }
    return rows
  },
}
