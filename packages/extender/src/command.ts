import { createClient, defineCommand, transportFromKubeconfig } from '@berth/kube'
import { isLoopback, readExtenderConfig, type ExtenderConfig } from './config.ts'
import { ConfigError } from './errors.ts'
import { startExtender } from './start.ts'

export const command = defineCommand({
  name: 'berth extender',
  summary: 'Serve Berth\'s plugins to a kube-scheduler by the extender protocol',
  description: 'Serves the scheduler extender protocol v1 (filter, prioritize, preempt, bind), so that a kube-scheduler places pods by Berth\'s plugins, too.',
  flags: {
    config: { type: 'string', description: 'The path to the configuration file (ExtenderConfiguration, berth.dev/v1alpha1). Required.' },
    kubeconfig: { type: 'string', description: 'The path to a kubeconfig; the configuration file\'s where absent, else the cluster this runs in.' },
    'bind-address': { type: 'string', description: 'The address to serve on; the configuration file\'s where not given.' },
    port: { type: 'number', description: 'The port to serve on; the configuration file\'s where not given.' },
    timeout: { type: 'duration', description: 'How long an answer may take; what takes longer says so. The configuration file\'s where not given. Keep it below the scheduler\'s httpTimeout.' },
  },
  async run(flags, _positionals, io) {
    if (flags.config === undefined) throw new ConfigError('--config: Required value: name an ExtenderConfiguration file')
    const fromFile = await readExtenderConfig(flags.config)
    const config: ExtenderConfig = {
      ...fromFile,
      serving: { ...fromFile.serving, ...(flags['bind-address'] === undefined ? {} : { address: flags['bind-address'] }), ...(flags.port === undefined ? {} : { port: flags.port }) },
      limits: { ...fromFile.limits, ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }) },
    }
    if (isLoopback(fromFile.serving.address) && !isLoopback(config.serving.address)) throw new ConfigError('--bind-address: the configuration file was checked for a loopback address; write the other one there')
    if (config.limits.timeoutMs <= 0) throw new ConfigError('--timeout: must be greater than 0')
    const client = createClient(transportFromKubeconfig(flags.kubeconfig ?? config.kubeconfig), { userAgent: 'berth-extender' })
    const extender = await startExtender({ client, config, logger: io.logger })
    io.logger.info('Serving', { address: config.serving.address, port: extender.port, plugins: config.plugins.map(({ name }) => name).join(', ') })
    if (!io.signal.aborted) await new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }))
    await extender.stop()
    return 0
  },
})
