// What stands in for etcd where none is wanted, and how the API server finds out that it does.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Where the API server keeps what it would have given to etcd. */
export interface StandIn {
  readonly dataDir: string
  /** Whether it waits for the disk. */
  readonly fsync: boolean
}

const name = 'berth-stand-in'

/** Serves what envtest and people ask of an etcd (/health, /version) at an `http://host:port`. Rejects where the address is taken. */
export async function serveStandIn(url: string, what: StandIn): Promise<{ port: number, close(): Promise<void> }> {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'http:') throw new Error(`${url}: the stand-in for etcd speaks plain http only`)
  const server: Server = createServer((request, response) => answer(request, response, what))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(Number(port || 2379), hostname.replace(/^\[|\]$/g, ''), resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

function answer(request: IncomingMessage, response: ServerResponse, { dataDir, fsync }: StandIn): void {
  const known: Readonly<Record<string, unknown>> = {
    '/health': { health: 'true', reason: '' }, '/livez': 'ok', '/readyz': 'ok',
    '/version': { etcdserver: name, etcdcluster: name, dataDir, fsync },
  }
  const found = known[new URL(request.url ?? '/', 'http://etcd').pathname]
  response.statusCode = found === undefined ? 404 : 200
  response.setHeader('content-type', typeof found === 'object' ? 'application/json' : 'text/plain')
  response.end(found === undefined ? 'this is no etcd: it stands in for one, and keeps nothing\n' : typeof found === 'object' ? JSON.stringify(found) : `${String(found)}\n`)
}

/** What the stand-in at one of these addresses says; undefined where there is none, or a real etcd. */
export async function askStandIn(servers: readonly string[]): Promise<StandIn | undefined> {
  for (const server of servers.filter((each) => each.startsWith('http://'))) {
    const said = await versionAt(server)
    if (said?.etcdserver === name && typeof said.dataDir === 'string') return { dataDir: said.dataDir, fsync: said.fsync !== false }
  }
  return undefined
}

async function versionAt(server: string): Promise<{ etcdserver?: unknown, dataDir?: unknown, fsync?: unknown } | undefined> {
  try {
    const response = await fetch(new URL('/version', server), { signal: AbortSignal.timeout(2000) })
    return await response.json() as { etcdserver?: unknown }
  } catch {
    // No answer, or none of ours: the storage will say what is wrong with it.
    return undefined
  }
}
