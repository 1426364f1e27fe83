import fs from 'node:fs'
import path from 'node:path'
import { CommandError, defineCommand, type FlagSpec } from '@berth/kube'
import { serveStandIn } from './stand-in.ts'

/** etcd's flags that tests set and that say nothing to a stand-in. */
const withoutEffect = [
  'advertise-client-urls', 'auto-compaction-mode', 'auto-compaction-retention', 'election-timeout', 'enable-pprof', 'heartbeat-interval', 'initial-advertise-peer-urls', 'initial-cluster', 'initial-cluster-state',
  'initial-cluster-token', 'listen-metrics-urls', 'listen-peer-urls', 'log-level', 'log-outputs', 'logger', 'max-request-bytes', 'max-txn-ops', 'name', 'quota-backend-bytes', 'snapshot-count', 'wal-dir',
]
const ignored = Object.fromEntries(withoutEffect.map((name) => [name, { type: 'string', description: 'Without effect.', hidden: true } as const satisfies FlagSpec]))

/** What envtest starts as etcd where no real one is wanted: it says that it is well, and where the API server may keep its objects. */
export const etcd = defineCommand({
  name: 'etcd',
  summary: 'Stand in for etcd: envtest asks for one, and Berth\'s API server needs none',
  description: 'Stand in for etcd: envtest asks for one, and Berth\'s API server needs none. It answers /health and /version, and tells kube-apiserver to keep its objects in --data-dir, in SQLite. It is no etcd: nothing can be read or written through it.',
  flags: {
    ...ignored,
    'listen-client-urls': { type: 'string[]', default: ['http://localhost:2379'], description: 'Where to answer, plain http.' },
    'data-dir': { type: 'string', default: 'default.etcd', description: 'Where the API server keeps its objects.' },
    'unsafe-no-fsync': { type: 'boolean', default: false, description: 'The API server does not wait for the disk.' },
  },
  async run(given, _positionals, io) {
    const dataDir = path.resolve(given['data-dir'])
    fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const urls = given['listen-client-urls'].flatMap((each) => each.split(','))
    const servers = await Promise.all(urls.map((url) => serveStandIn(url, { dataDir, fsync: !given['unsafe-no-fsync'] }))).catch((error: unknown) => {
      throw new CommandError(error instanceof Error ? error.message : String(error), 1, { cause: error })
    })
    io.logger.info('Standing in for etcd', { urls: urls.join(','), dataDir })
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve()
      io.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.all(servers.map((server) => server.close()))
    return 0
  },
})
