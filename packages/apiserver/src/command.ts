// `berth apiserver`: the API server as a process of its own.
import { defineCommand, type CommandIo } from '@berth/kube'
import { writeAdminKubeconfig } from './certificates/index.ts'
import { flags, optionsOfFlags } from './flags.ts'
import type { ApiServerOptions } from './interfaces.ts'
import { startApiServer } from './server.ts'

/** The API server on its own, until SIGINT or SIGTERM. */
export const command = defineCommand({
  name: 'berth apiserver',
  summary: 'Run the API server alone, with kube-apiserver\'s flags',
  flags,
  run: async (given, _positionals, io) => runApiServer(optionsOfFlags(given), io),
})

/** Runs a server as a process does: until its signal aborts. Gives the exit status. */
export async function runApiServer(options: ApiServerOptions, io: Pick<CommandIo, 'signal' | 'logger'>): Promise<number> {
  const server = await startApiServer({ ...options, logger: io.logger })
  const kubeconfig = await writeAdminKubeconfig(options, server.certificates, server.port)
  if (kubeconfig !== undefined) io.logger.info('Wrote the administrator\'s kubeconfig', { path: kubeconfig })
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    io.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await server.stop()
  return 0
}
