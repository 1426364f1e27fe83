// A data directory of an API server: its SQLite file, or the server that has it open.
import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StorageCodec } from '../storage/etcd/etcd-storage.ts'
import { openDatabase } from '../storage/sqlite-database.ts'
import type { ObjectDatabase } from '../storage/sqlite-database.ts'
import { askServer } from './online.ts'
import { PlaceRefused } from './place.ts'
import type { Place, WriteOptions } from './place.ts'
import { isPassing } from './record.ts'
import type { SnapshotRecord, SnapshotSource } from './record.ts'

/** Revisions cost nothing here: as far beyond what a server can have given out meanwhile as etcd's own manual advises. */
const defaultBump = 1_000_000_000
const batch = 500

/** The place of a directory. */
export function sqlitePlace(dataDir: string, codec: StorageCodec): Place {
  const file = join(dataDir, 'state.db')
  /** Opens the file as the only one who has it. */
  const database = (): ObjectDatabase => {
    try {
      return openDatabase(file)
    } catch (error) {
      if (error instanceof Error && /locked/.test(error.message)) throw new PlaceRefused(`a server uses ${dataDir}: stop it first`, { cause: error })
      throw error
    }
  }
  return {
    title: `SQLite in ${dataDir}`,
    async read(mayBeServed) {
      if (!existsSync(file)) throw new PlaceRefused(`there is no ${file}`)
      const served = mayBeServed ? await askServer(dataDir) : undefined
      return served ?? readRows(database())
    },
    async isEmpty() {
      if (!existsSync(file)) return true
      const db = database()
      try {
        return db.load().rows.length === 0
      } finally {
        db.close()
      }
    },
    async write(records, options) {
      const before = existsSync(file) ? revisionOf(database()) : 0
      const made = `${file}.restore`
      await mkdir(dataDir, { recursive: true, mode: 0o700 })
      for (const suffix of ['', '-wal', '-shm']) await rm(made + suffix, { force: true })
      const revision = Math.max(before, options.revision) + (options.bump ?? defaultBump)
      try {
        await fill(made, records, revision, options, codec)
        await syncPath(made)
        // The old file's journal must not be taken for the new one's.
        for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true })
        await rename(made, file)
        await syncPath(dirname(file))
      } finally {
        for (const suffix of ['', '-wal', '-shm']) await rm(made + suffix, { force: true })
      }
      return revision
    },
    close() {},
  }
}

function revisionOf(database: ObjectDatabase): number {
  try {
    return database.load().revision
  } finally {
    database.close()
  }
}

function readRows(database: ObjectDatabase): SnapshotSource {
  try {
    const { rows, revision } = database.load()
    return {
      source: 'sqlite', revision,
      records: (async function* () {
        for (const row of rows) if (row.value) yield { key: row.key, value: row.value, created: row.createRevision, modified: row.revision }
      })(),
    }
  } finally {
    database.close()
  }
}

async function fill(file: string, records: AsyncIterable<SnapshotRecord>, revision: number, options: WriteOptions, codec: StorageCodec): Promise<void> {
  const database = openDatabase(file)
  try {
    let rows: { key: string, revision: number, createRevision: number, value: Uint8Array }[] = []
    let count = 0
    const flush = (): void => {
      // The last row of a group says how far the revisions are.
      const failed = database.commit([...rows, { key: '', revision, createRevision: 0, value: undefined }])
      if (failed) throw new Error(failed.message)
      count += rows.length
      rows = []
      options.told('objects written', count)
    }
    for await (const { key, value, created, modified } of records) {
      if (isPassing(key)) continue
      rows.push({ key, revision: modified, createRevision: created, value: servedForm(codec, { key, value, created, modified }) })
      if (rows.length >= batch) flush()
    }
    flush()
  } finally {
    database.close()
  }
}

/** JSON with its resourceVersion. What came from SQLite is that already. */
function servedForm(codec: StorageCodec, { key, value, created, modified }: SnapshotRecord): Uint8Array {
  return codec.decode(key, value, { mod: modified, create: created }).value
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
