// Opens the storage that the settings name.
import { join } from 'node:path'
import { inMemory } from '../config.ts'
import type { ApiServerOptions, ServerLog } from '../interfaces.ts'
import type { HealthCheck } from '../http/health.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { memoryCommitter } from './committer.ts'
import type { Committer } from './committer.ts'
import { etcdClient } from './etcd/client.ts'
import { kubernetesCodec } from './etcd/codec.ts'
import { startCompactor } from './etcd/compactor.ts'
import { etcdStorage } from './etcd/etcd-storage.ts'
import { groupCommitStorage } from './group-commit-storage.ts'
import { inMemoryCommitter, sqliteCommitter } from './sqlite-committer.ts'
import type { Storage } from './storage.ts'

/** A storage, and what the server tells others of it. */
export interface OpenStorage {
  storage: Storage
  checks: HealthCheck[]
  /** In apiserver_storage_size_bytes. */
  clusterId: string
  close(): Promise<void>
}

type Needed = Pick<ApiServerOptions, 'storage' | 'etcd' | 'dataDir'>

/** Opens it; nothing is read yet. Throws where a setting is wrong. */
export function openStorage(options: Needed, definitions: readonly ResourceDefinition[], log: ServerLog): OpenStorage {
  return options.storage === 'etcd3' ? openEtcd(options, definitions, log) : openSqlite(options, log)
}

function openSqlite(options: Needed, log: ServerLog): OpenStorage {
  const storage = groupCommitStorage(committerOf(options), {
    onState(reason) {
      if (reason === undefined) log.info('Storage takes writes again')
      else log.error(new Error(reason), 'Storage is read-only: no write is taken until the disk is back')
    },
  })
  return {
    storage, clusterId: 'sqlite-0',
    // Not a matter of being alive: starting again does not empty a disk.
    checks: [{ name: 'storage', for: ['readyz'], check: () => storage.check() }],
    close: () => storage.close(),
  }
}

function committerOf({ storage, dataDir }: Needed): Committer {
  if (storage === 'memory') return memoryCommitter()
  return dataDir === inMemory ? inMemoryCommitter() : sqliteCommitter(join(dataDir, 'state.db'))
}

function openEtcd({ etcd }: Needed, definitions: readonly ResourceDefinition[], log: ServerLog): OpenStorage {
  const client = etcdClient(etcd)
  let lost = false
  const storage = etcdStorage({
    client, prefix: etcd.prefix, codec: kubernetesCodec({ definitions, mediaType: etcd.mediaType }), healthcheckTimeoutMs: etcd.healthcheckTimeoutMs,
    onState(reason) {
      if (lost && reason === undefined) log.info('Following etcd again')
      else if (!lost && reason !== undefined) log.error(new Error(reason), 'The watch of etcd was lost; what is read from the cache gets old until it is back')
      lost = reason !== undefined
    },
  })
  const stopCompactor = startCompactor(client, etcd.compactionIntervalMs, (error) => log.error(error, 'Compacting etcd failed'))
  return {
    storage, clusterId: 'etcd-0',
    checks: [
      { name: 'etcd', for: ['healthz', 'livez', 'readyz'], check: () => storage.check(etcd.healthcheckTimeoutMs) },
      { name: 'etcd-readiness', for: ['readyz'], check: () => storage.check(etcd.readycheckTimeoutMs) },
    ],
    async close() {
      stopCompactor()
      await storage.close()
    },
  }
}
