// Saving, restoring and migrating: from one place to another, with what is checked before and after.
import type { StorageCodec } from '../storage/etcd/etcd-storage.ts'
import { checkFile, openFile, saveFile } from './file.ts'
import type { SnapshotSummary } from './lines.ts'
import { PlaceRefused } from './place.ts'
import type { Place } from './place.ts'
import { ContentDigest, isPassing } from './record.ts'
import type { SnapshotRecord } from './record.ts'

/** Told how far work is. */
export type Told = (what: string, count: number) => void

/** What came of a restore or a migration. */
export interface Transferred {
  from: string
  to: string
  objects: number
  /** The revision of what was read, and the target's after it was written. */
  sourceRevision: number
  revision: number
  /** Hash over what the objects say: the same on both sides. */
  contentSha256: string
}

/** Saves a place into a file. */
export function save(from: Place, file: string, told: Told): Promise<SnapshotSummary & { bytes: number }> {
  return from.read(true).then((source) => saveFile(file, source, (entries) => told('objects saved', entries)))
}

export interface RestoreOptions {
  /** The target may have objects; they go. */
  force: boolean
  bump?: number
  codec: StorageCodec
  told: Told
}

/** Puts a file's objects into a place. The whole file is read and checked before anything is written. Throws SnapshotDamaged, PlaceRefused. */
export async function restore(file: string, to: Place, options: RestoreOptions): Promise<Transferred> {
  const summary = await checkFile(file)
  const digest = await digestOf((await openFile(file)).records, options.codec)
  await requireRoom(to, options.force)
  const revision = await to.write((await openFile(file)).records, { revision: summary.revision, replace: options.force, told: options.told, ...(options.bump !== undefined && { bump: options.bump }) })
  await requireSame(to, digest, options)
  return { from: file, to: to.title, objects: digest.count, sourceRevision: summary.revision, revision, contentSha256: digest.sha256 }
}

/** Brings everything from one place to another. Nobody may write to the first meanwhile: that is found out, and an error. Throws PlaceRefused. */
export async function migrate(from: Place, to: Place, options: RestoreOptions): Promise<Transferred> {
  const { revision: sourceRevision, records } = await from.read(false)
  const digest = await digestOf(records, options.codec)
  await requireRoom(to, options.force)
  const revision = await to.write((await from.read(false)).records, { revision: sourceRevision, replace: options.force, told: options.told, bump: options.bump ?? 0 })
  await requireSame(to, digest, options)
  const after = await digestOf((await from.read(false)).records, options.codec)
  if (after.sha256 !== digest.sha256) throw new PlaceRefused(`${from.title} was written to meanwhile: stop its servers and begin again with --force`)
  return { from: from.title, to: to.title, objects: digest.count, sourceRevision, revision, contentSha256: digest.sha256 }
}

async function requireRoom(to: Place, force: boolean): Promise<void> {
  if (!force && !await to.isEmpty()) throw new PlaceRefused(`${to.title} is not empty; with --force what is there is replaced`)
}

async function digestOf(records: AsyncIterable<SnapshotRecord>, codec: StorageCodec): Promise<{ sha256: string, count: number }> {
  const digest = new ContentDigest(codec)
  const unreadable: string[] = []
  for await (const record of records) {
    if (isPassing(record.key)) continue
    try {
      digest.add(record)
    } catch (error) {
      unreadable.push(error instanceof Error ? error.message : String(error))
    }
  }
  if (unreadable.length > 0) throw new PlaceRefused(`${unreadable.length} ${unreadable.length === 1 ? 'object' : 'objects'} cannot be read: ${unreadable.slice(0, 3).join('; ')}`)
  return { sha256: digest.end(), count: digest.count }
}

async function requireSame(to: Place, wanted: { sha256: string, count: number }, { codec, told }: RestoreOptions): Promise<void> {
  told('objects written, reading them again', wanted.count)
  const found = await digestOf((await to.read(false)).records, codec)
  if (found.sha256 !== wanted.sha256) throw new Error(`what is in ${to.title} is not what was written (${found.count} objects instead of ${wanted.count}, or others): somebody else writes there`)
}
