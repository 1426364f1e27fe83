import { createServer, type Server } from 'node:net'
import { PassThrough } from 'node:stream'
import { KubeConfig, PortForward } from '@kubernetes/client-node'

/** A local port whose connections reach a pod's port through the API server. */
export interface Forwarded {
  readonly port: number
  close(): void
}

/** Forwards a free local port to a pod's; the kubeconfig's files and context say which cluster, and as whom. */
export async function forwardTo(pod: string, port: number, files: readonly string[], context: string | undefined): Promise<Forwarded> {
  const config = new KubeConfig()
  config.loadFromFile(files[0] ?? '')
  for (const file of files.slice(1)) {
    const more = new KubeConfig()
    more.loadFromFile(file)
    config.mergeConfig(more)
  }
  if (context !== undefined) config.setCurrentContext(context)
  const [namespace = '', name = ''] = pod.split('/')
  const forward = new PortForward(config)
  const server: Server = createServer((socket) => {
    const out = new PassThrough()
    const errors = new PassThrough()
    out.pipe(socket)
    errors.resume()
    forward.portForward(namespace, name, [port], out, errors, socket).catch((error: unknown) => socket.destroy(error instanceof Error ? error : new Error(String(error))))
    socket.on('error', () => out.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no local port to forward from')
  return { port: address.port, close: () => server.close() }
}
