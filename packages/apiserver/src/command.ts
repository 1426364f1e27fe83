// `berth apiserver`: the API server as a process of its own.
import { defineCommand } from '@berth/kube'
import { writeAdminKubeconfig } from './certificates/index.ts'
import { flags, optionsOfFlags } from './flags.ts'
import { startApiServer } from './server.ts'

/** The API server on its own, until SIGINT or SIGTERM. */
export const command = defineCommand({
  name: 'berth apiserver',
  summary: 'Run the API server alone, with kube-apiserver\'s flags',
  flags,
  async run(given, _positionals, io) {
    const options = optionsOfFlags(given)
    const server = await startApiServer({ ...options, logger: io.logger })
    const kubeconfig = await writeAdminKubeconfig(options, server.certificates, server.port)
    if (kubeconfig !== undefined) io.logger.info('Wrote the administrator\'s kubeconfig', { path: kubeconfig })
    await new Promise<void>((resolve) => {
      if (io.signal.aborted) resolve()
      io.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    await server.stop()
    return 0
  },
})
