// The objects in SQLite, one transaction a group of writes. Synchronous: it runs on the writer thread, or in memory.
import { DatabaseSync } from 'node:sqlite'
import type { CommitRow } from './committer.ts'

const schemaVersion = 1
/** SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN: the disk cannot be written at present. */
const diskErrors = new Set([13, 10, 8, 14])

/** The objects of one file. */
export interface ObjectDatabase {
  load(): { rows: CommitRow[], revision: number }
  /** All rows or none; gives why there are none. */
  commit(rows: readonly CommitRow[]): { message: string, full: boolean } | undefined
  /** Bytes of the file. */
  size(): number
  close(): void
}

/** Opens (or makes) a file, WAL with an fsync for each transaction unless `fsync` is false; `:memory:` is none. Throws where it cannot be opened, or was written by a newer version. */
export function openDatabase(file: string, fsync = true): ObjectDatabase {
  const db = open(file, fsync)
  const put = db.prepare('INSERT INTO objects (key, revision, created, value) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, created = excluded.created, value = excluded.value')
  const remove = db.prepare('DELETE FROM objects WHERE key = ?')
  const setRevision = db.prepare('UPDATE state SET revision = ? WHERE id = 1')
  const pageCount = db.prepare('PRAGMA page_count')
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size'] ?? 4096)
  return {
    load() {
      const rows: CommitRow[] = []
      for (const row of db.prepare('SELECT key, revision, created, value FROM objects ORDER BY key').iterate()) {
        rows.push({ key: String(row['key']), revision: Number(row['revision']), createRevision: Number(row['created']), value: row['value'] as Uint8Array })
      }
      return { rows, revision: Number(db.prepare('SELECT revision FROM state WHERE id = 1').get()?.['revision'] ?? 1) }
    },
    commit(rows) {
      try {
        db.exec('BEGIN IMMEDIATE')
        for (const row of rows) {
          if (row.value) put.run(row.key, row.revision, row.createRevision, row.value)
          else remove.run(row.key)
        }
        setRevision.run(rows.at(-1)?.revision ?? 0)
        db.exec('COMMIT')
        return undefined
      } catch (error) {
        try {
          db.exec('ROLLBACK')
        } catch {
          // SQLite has rolled back by itself.
        }
        const code = (error as { errcode?: number }).errcode ?? 0
        return { message: error instanceof Error ? error.message : String(error), full: diskErrors.has(code & 0xff) }
      }
    },
    size: () => Number(pageCount.get()?.['page_count'] ?? 0) * pageSize,
    close: () => db.close(),
  }
}

function open(file: string, fsync: boolean): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${fsync ? 'FULL' : 'OFF'}; PRAGMA wal_autocheckpoint=1000; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1024`)
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
  if (version > schemaVersion) throw new Error(`${file} was written by a newer version (${version}, this one knows ${schemaVersion})`)
  // Each of these is a transaction: nothing is written where it is all there.
  if (version < schemaVersion) {
    db.exec(`CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, created INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
      INSERT OR IGNORE INTO state (id, revision) VALUES (1, 1);
      PRAGMA user_version=${schemaVersion}`)
  }
  return db
}
