// Opens the storage that the settings name.
import { join } from 'node:path'
import { inMemory } from '../config.ts'
import type { ApiServerOptions, ServerLog } from '../interfaces.ts'
import type { HealthCheck } from '../http/health.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { memoryCommitter } from './committer.ts'
import type { Committer } from './committer.ts'
import { groupCommitStorage } from './group-commit-storage.ts'
import { inMemoryCommitter, sqliteCommitter } from './sqlite-committer.ts'
import type { SnapshotRecord } from '../snapshot/record.ts'
import type { Storage, StorageEntry } from './storage.ts'

/** A storage, and what the server tells others of it. */
export interface OpenStorage {
  storage: Storage
  checks: HealthCheck[]
  /** In apiserver_storage_size_bytes. */
  clusterId: string
  /** To be called once the storage is loaded. */
  loaded(): Promise<void>
  close(): Promise<void>
}

type Needed = Pick<ApiServerOptions, 'storage' | 'etcd' | 'dataDir' | 'fsync'>

/** Opens it; nothing is read yet. Throws where a setting is wrong. */
export async function openStorage(options: Needed, definitions: readonly ResourceDefinition[], log: ServerLog): Promise<OpenStorage> {
  if (options.storage !== 'etcd3') return openSqlite(options, log)
  // gRPC weighs as much as the rest of the server, and most servers have no etcd.
  const { openEtcd } = await import('./etcd/open.ts')
  return openEtcd(options, definitions, log)
}

function openSqlite(options: Needed, log: ServerLog): OpenStorage {
  const storage = groupCommitStorage(committerOf(options), {
    onState(reason) {
      if (reason === undefined) log.info('Storage takes writes again')
      else log.error(new Error(reason), 'Storage is read-only: no write is taken until the disk is back')
    },
  })
  let stopSnapshots: (() => Promise<void>) | undefined
  return {
    storage, clusterId: 'sqlite-0',
    async loaded() {
      if (options.storage !== 'sqlite' || options.dataDir === inMemory) return
      const { serveSnapshots } = await import('../snapshot/online.ts')
      stopSnapshots = await serveSnapshots(options.dataDir, () => {
        const { entries, revision } = storage.committed()
        return { source: 'sqlite', revision, records: recordsOf(entries) }
      })
    },
    // Not a matter of being alive: starting again does not empty a disk.
    checks: [{ name: 'storage', for: ['readyz'], check: () => storage.check() }],
    async close() {
      await stopSnapshots?.()
      await storage.close()
    },
  }
}

async function* recordsOf(entries: readonly StorageEntry[]): AsyncGenerator<SnapshotRecord> {
  for (const { key, value, createRevision, modRevision } of entries) yield { key, value, created: createRevision, modified: modRevision }
}

function committerOf({ storage, dataDir, fsync = true }: Needed): Committer {
  if (storage === 'memory') return memoryCommitter()
  return dataDir === inMemory ? inMemoryCommitter() : sqliteCommitter(join(dataDir, 'state.db'), fsync)
}
