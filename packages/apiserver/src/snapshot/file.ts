// Snapshots in files: gzip around the lines.
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { createGunzip, createGzip } from 'node:zlib'
import { readLines, SnapshotDamaged, writeLines } from './lines.ts'
import type { SnapshotSummary } from './lines.ts'
import type { SnapshotRecord, SnapshotSource } from './record.ts'

/** Writes a file that is there whole and durable, or not at all. Gives what it says of itself and its size in bytes. */
export async function saveFile(path: string, source: SnapshotSource, told: (entries: number) => void): Promise<SnapshotSummary & { bytes: number }> {
  const partial = `${path}.part`
  const file = await open(partial, 'w', 0o600)
  try {
    const gzip = createGzip()
    const written = (async () => {
      let bytes = 0
      for await (const chunk of gzip as AsyncIterable<Buffer>) {
        await file.write(chunk)
        bytes += chunk.length
      }
      return bytes
    })()
    written.catch(() => undefined)
    const lines = writeLines(source, new Date().toISOString(), told)
    let next = await lines.next()
    for (; !next.done; next = await lines.next()) if (!gzip.write(next.value)) await Promise.race([once(gzip, 'drain'), written])
    gzip.end()
    const bytes = await written
    await file.sync()
    await file.close()
    await rename(partial, path)
    return { ...next.value, bytes }
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(partial, { force: true })
    throw error
  }
}

/** A file's records, with what it says of itself at once; that it is whole is known at the end of the records. Throws SnapshotDamaged. */
export async function openFile(path: string): Promise<SnapshotSource & { time: string }> {
  const lines = readLines(unpacked(path))
  const first = await lines.next()
  if (first.done || !('source' in first.value)) throw new SnapshotDamaged('this is no snapshot')
  const records = async function* (): AsyncGenerator<SnapshotRecord> {
    for await (const line of lines) if ('key' in line) yield line
  }
  return { ...first.value, records: records() }
}

/** Reads a whole file and gives what it is. Throws SnapshotDamaged. */
export async function checkFile(path: string): Promise<SnapshotSummary> {
  const lines = readLines(unpacked(path))
  for (;;) {
    const next = await lines.next()
    if (next.done) return next.value
  }
}

async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path)
  const gunzip = createGunzip()
  file.on('error', (error) => gunzip.destroy(error))
  file.pipe(gunzip)
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) yield chunk
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw new SnapshotDamaged('the snapshot is damaged or cut off: it cannot be unpacked', { cause: error })
    throw error
  } finally {
    file.destroy()
    gunzip.destroy()
  }
}
