// The registries that the specs name (registry.k8s.io, k8s.gcr.io, gcr.io), all of them one local docker-registry behind a proxy.
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { until } from '../../packages/cri-docker/test/support/engine.ts'

/** Hosts whose requests go to the local registry; the Engine is told that they speak plain HTTP. */
export const servedHosts = ['registry.k8s.io', 'k8s.gcr.io', 'gcr.io']

/** A registry with nothing in it, at a port of its own. */
export async function startRegistry(program: string, directory: string, port: number): Promise<{ host: string; process: ChildProcess }> {
  const config = join(directory, 'registry.yml')
  writeFileSync(config, `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${join(directory, 'registry')} } }\nhttp: { addr: '127.0.0.1:${port}' }\n`)
  const process = spawn(program, ['serve', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  const host = `127.0.0.1:${port}`
  await until(() => fetch(`http://${host}/v2/`).then(() => true, () => false), 'the registry answers')
  return { host, process }
}

/** An HTTP proxy that sends the hosts above to the registry and refuses all others, tunnels among them: the Engine then tries plain HTTP. */
export async function startProxy(registry: string): Promise<{ url: string; server: Server }> {
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? '', 'http://unknown')
    if (!servedHosts.includes(url.hostname)) return void outgoing.writeHead(502).end(`${url.hostname} is not served here\n`)
    const forwarded = request(`http://${registry}${url.pathname}${url.search}`, { method: incoming.method, headers: { ...incoming.headers, host: url.host } }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  server.on('connect', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}
