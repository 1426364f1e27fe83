import fs from 'node:fs'
import path from 'node:path'
import { berth, findPeer, type Contender, type Server } from '../apiserver/contenders.ts'
import { buildBerth } from '../berth.ts'
import { growing } from '../apiserver/growth.ts'
import { makeIdentity } from '../apiserver/identity.ts'
import { findProgram } from '../program.ts'
import { standingLoad } from '../apiserver/standing-load.ts'
import { Figures, namespaces, reading, startAll, starting, watching, writing, type Setup } from '../apiserver/stations.ts'
import type { Bench } from '../main.ts'

const stations = ['start', 'writes', 'reads', 'watchers', 'load', 'growth'] as const

/** Berth's API server beside the best stock one that is here, each on its own data on the same disk, with the same requests. `BERTH_STATIONS` names some of the stations; with `BERTH_STORAGE=etcd` ours is on etcd, too. */
export const apiserver: Bench = {
  summary: 'the API server (peer: kube-apiserver on etcd, else the stock generic server with CustomResourceDefinitions on etcd)',
  async run({ runs, size, log }) {
    const only = process.env['BERTH_STATIONS']?.split(',') ?? [...stations]
    // Not /tmp: it may be memory, and writes are to be durable.
    const directory = fs.mkdtempSync(path.join('/var/tmp', 'berth-bench-'))
    const identity = await makeIdentity(directory)
    const peer = findPeer(identity)
    const etcd = process.env['BERTH_STORAGE'] === 'etcd' ? findProgram('etcd') : undefined
    const contenders = [berth(buildBerth(directory), identity, etcd), ...(peer ? [peer] : [])]
    const setup: Setup = { contenders, identity, runs, size, log, directoryOf: (contender: Contender) => path.join(directory, contender.isOurs ? 'ours' : 'peer') }
    log(`peer: ${peer?.name ?? 'none'}`)
    const figures = new Figures()
    let running = new Map<Contender, Server>()
    try {
      if (only.includes('start')) await starting(setup, figures)
      const steady = [['writes', writing], ['reads', reading], ['watchers', watching], ['load', standingLoad]] as const
      if (steady.some(([name]) => only.includes(name))) running = await startAll(setup, namespaces)
      for (const [name, station] of steady) if (only.includes(name)) await station(setup, running, figures)
      for (const server of running.values()) await server.stop()
      running.clear()
      if (only.includes('growth')) await growing(setup, figures)
      return figures.rows()
    } finally {
      for (const server of running.values()) await server.stop()
      fs.rmSync(directory, { recursive: true, force: true })
    }
  },
}
