// The storages that the conformance suite and the snapshots' run on: the same tests for each.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '@berth/kube'
import { apiServerOptions } from '../../src/config.ts'
import { CachedObject } from '../../src/registry/cached-object.ts'
import { storedResources } from '../../src/resources/index.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage, StorageEntry, StorageWrite } from '../../src/storage/storage.ts'
import { etcdMissing, startEtcd } from './etcd.ts'

/** A place where one store's data is, and the way to open it as often as one likes. */
export interface StorePlace {
  /** A storage on the data, not loaded yet. */
  open(): Promise<Storage>
  remove(): Promise<void>
}

export interface StoreKind {
  readonly name: 'sqlite' | 'etcd3'
  readonly missing: string | undefined
  make(): Promise<StorePlace>
}

export const storeKinds: readonly StoreKind[] = [
  {
    name: 'sqlite', missing: undefined,
    async make() {
      const dataDir = await mkdtemp(join(tmpdir(), 'berth-store-'))
      return {
        open: async () => (await openStorage(apiServerOptions({ dataDir, storage: 'sqlite' }), storedResources, silentLogger())).storage,
        remove: () => rm(dataDir, { recursive: true, force: true }),
      }
    },
  },
  {
    name: 'etcd3', missing: etcdMissing,
    async make() {
      const etcd = await startEtcd()
      const options = apiServerOptions({ dataDir: '/nonexistent', storage: 'etcd3', etcd: { servers: [etcd.server], compactionIntervalMs: 0 } })
      return { open: async () => (await openStorage(options, storedResources, silentLogger())).storage, remove: () => etcd.stop() }
    },
  },
]

/** A write of a ConfigMap of that name with that datum; what the storage stores of it says its revision. */
export function configMapWrite(name: string, expected: number, datum: string): StorageWrite {
  const at = (revision: number): CachedObject => new CachedObject(keyOf(name), revision, {
    kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'default', resourceVersion: String(revision) }, data: { datum },
  }, undefined)
  return { key: keyOf(name), expected, value: (revision) => at(revision).bytes, attachment: at }
}

export function keyOf(name: string): string {
  return `/registry/configmaps/default/${name}`
}

interface Stored { metadata: { name: string, resourceVersion: string }, data: { datum: string } }

/** What an entry's bytes say: its own revision, and the datum. */
export function stateOf(entry: StorageEntry | undefined): { revision: string, datum: string } | undefined {
  if (!entry) return undefined
  const { metadata, data } = JSON.parse(new TextDecoder().decode(entry.value)) as Stored
  return { revision: metadata.resourceVersion, datum: data.datum }
}
