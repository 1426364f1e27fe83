// The state of a server that runs, for whoever may read its data directory: a socket beside the database.
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Socket } from 'node:net'
import { readLines, SnapshotDamaged, writeLines } from './lines.ts'
import type { SnapshotRecord, SnapshotSource } from './record.ts'

/** Longer paths do not fit into a socket's address. */
const maxPathBytes = 107

function socketPath(dataDir: string): string {
  return join(dataDir, 'snapshot.sock')
}

/**
 * Answers everybody who connects with a snapshot, and hangs up. The directory is its owner's alone. Resolves with the way to stop; where the path is too
 * long for a socket, nothing is served and `undefined` is given.
 */
export async function serveSnapshots(dataDir: string, state: () => SnapshotSource): Promise<(() => Promise<void>) | undefined> {
  const path = socketPath(dataDir)
  if (Buffer.byteLength(path) > maxPathBytes) return undefined
  // A server that was killed leaves its socket behind; that nobody else serves this directory is known by the database's lock.
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    void send(socket, state())
  })
  server.listen(path)
  await once(server, 'listening')
  server.unref()
  return async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
}

async function send(socket: Socket, source: SnapshotSource): Promise<void> {
  try {
    for await (const piece of writeLines(source, new Date().toISOString())) {
      if (socket.destroyed) return
      if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), once(socket, 'close')])
    }
    socket.end()
  } catch (error) {
    socket.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

/** The state of the server that runs on a directory; undefined where none does. That it came whole is known at the end of the records. */
export async function askServer(dataDir: string): Promise<SnapshotSource | undefined> {
  const socket = connect(socketPath(dataDir))
  try {
    await once(socket, 'connect')
  } catch {
    return undefined
  }
  const lines = readLines(socket)
  const first = await lines.next()
  if (first.done || !('source' in first.value)) throw new SnapshotDamaged('the server sent no snapshot')
  return {
    ...first.value,
    records: (async function* (): AsyncGenerator<SnapshotRecord> {
      for await (const line of lines) if ('key' in line) yield line
    })(),
  }
}
