import type { Storage } from '../storage/storage.ts'
import { StorageConflict } from '../storage/storage.ts'

/** Where each server says that it lives: upstream's keys, one for each address, which go by themselves. */
const prefix = '/registry/masterleases/'
const ttlSeconds = 15

type Needed = Pick<Storage, 'shared' | 'confirm' | 'write' | 'latest' | 'readAt'>

/**
 * Says that the server at this address lives, and gives the addresses of all that do, in order. Where a storage is one server's alone, that is this one.
 * To be called again before `ttlSeconds` are over.
 */
export async function livingServers(storage: Needed, address: string): Promise<string[]> {
  if (!storage.shared) return [address]
  const key = prefix + address
  const lease = Buffer.from(JSON.stringify({ kind: 'Endpoints', apiVersion: 'v1', metadata: { name: address }, subsets: [{ addresses: [{ ip: address }] }] }))
  try {
    await storage.write({ key, expected: (await storage.confirm(key))?.modRevision ?? 0, value: () => lease, ttlSeconds })
  } catch (error) {
    // Another server with the same address: then it lives.
    if (!(error instanceof StorageConflict)) throw error
  }
  const leases = await storage.readAt(prefix, await storage.latest()) ?? []
  return [...new Set([address, ...leases.map((entry) => entry.key.slice(prefix.length))])].sort()
}
