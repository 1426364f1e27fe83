import crypto from 'node:crypto'
import os from 'node:os'
import { createClient, defineCommand, delegatedAuthentication, delegatedAuthorization, runLeaderElection, selfSignedServing, startComponentServer, transportFromKubeconfig, type KubeClient, type Logger } from '@berth/kube'
import { readSchedulerConfig, schedulerConfigOf, type SchedulerConfig } from './config/config.ts'
import { featureGates, parseFeatureGates } from './config/feature-gates.ts'
import type { Scheduler } from './loop/scheduler.ts'
import { startScheduler } from './start.ts'

/** Runs a scheduler as long as it leads; a lost lease ends the process, which is how nothing is ever decided without leading. */
function lead(client: KubeClient, config: SchedulerConfig, logger: Logger, signal: AbortSignal, onStarted: (scheduler: Scheduler) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const run = (until: AbortSignal): void => {
      startScheduler({ client, config, logger }).then((scheduler) => {
        onStarted(scheduler)
        until.addEventListener('abort', () => void scheduler.stop().then(() => resolve(signal.aborted ? 0 : 1), reject))
        if (until.aborted) void scheduler.stop().then(() => resolve(signal.aborted ? 0 : 1), reject)
      }, reject)
    }
    const { leaderElection: election } = config
    if (!election.leaderElect) return run(signal)
    void runLeaderElection({
      client, logger, signal,
      lease: { namespace: election.namespace, name: election.name },
      identity: `${os.hostname()}_${crypto.randomUUID()}`,
      leaseDurationSeconds: election.leaseDurationMs / 1000,
      renewDeadlineSeconds: election.renewDeadlineMs / 1000,
      retryPeriodSeconds: election.retryPeriodMs / 1000,
      onStarted: run,
      onStopped: () => logger.info('Leadership is over'),
    })
    signal.addEventListener('abort', () => resolve(0))
  })
}

export const command = defineCommand({
  name: 'berth scheduler',
  summary: 'Run the scheduler against any API server',
  description: 'Runs the scheduler against any API server, in place of kube-scheduler or, with another schedulerName, beside it.',
  flags: {
    config: { type: 'string', description: 'The path to the configuration file (KubeSchedulerConfiguration, kubescheduler.config.k8s.io/v1).' },
    kubeconfig: { type: 'string', description: 'The path to a kubeconfig; the configuration file\'s where absent, else the cluster this runs in.' },
    'feature-gates': { type: 'string', description: 'Features to switch on or off, as upstream names them: A=true,B=false.', default: '' },
    'leader-elect': { type: 'boolean', description: 'Elect a leader before scheduling; true where not given.', default: true },
    'leader-elect-resource-name': { type: 'string', description: 'The name of the lease.', default: 'kube-scheduler' },
    'leader-elect-resource-namespace': { type: 'string', description: 'The namespace of the lease.', default: 'kube-system' },
    'bind-address': { type: 'string', description: 'The address to serve metrics and health on.', default: '0.0.0.0' },
    'secure-port': { type: 'number', description: 'The port to serve metrics and health on with TLS; 0 serves none.', default: 10259 },
    'tls-cert-file': { type: 'string', description: 'The serving certificate (PEM).' },
    'tls-private-key-file': { type: 'string', description: 'Its private key (PEM).' },
  },
  async run(flags, _positionals, io) {
    const gates = featureGates(parseFeatureGates(flags['feature-gates']))
    const fromFile = flags.config === undefined ? schedulerConfigOf({}, gates) : await readSchedulerConfig(flags.config, gates)
    const given = (name: string): boolean => io.given.has(name)
    const config: SchedulerConfig = {
      ...fromFile,
      leaderElection: {
        ...fromFile.leaderElection,
        ...(given('leader-elect') ? { leaderElect: flags['leader-elect'] } : {}),
        ...(given('leader-elect-resource-name') ? { name: flags['leader-elect-resource-name'] } : {}),
        ...(given('leader-elect-resource-namespace') ? { namespace: flags['leader-elect-resource-namespace'] } : {}),
      },
    }
    const client = createClient(transportFromKubeconfig(flags.kubeconfig ?? (config.clientConnection.kubeconfig || undefined)), { userAgent: 'berth-scheduler' })
    let scheduler: Scheduler | undefined
    const server = flags['secure-port'] === 0 ? undefined : await serve(flags, client, io.logger, () => scheduler)
    try {
      return await lead(client, config, io.logger, io.signal, (started) => { scheduler = started })
    } finally {
      await server?.close()
    }
  },
})

interface ServeFlags { 'bind-address': string; 'secure-port': number; 'tls-cert-file': string | undefined; 'tls-private-key-file': string | undefined }

async function serve(flags: ServeFlags, client: KubeClient, logger: Logger, scheduler: () => Scheduler | undefined): Promise<{ close(): Promise<void> }> {
  const { readFile } = await import('node:fs/promises')
  const { Registry } = await import('prom-client')
  const cert = flags['tls-cert-file']
  const key = flags['tls-private-key-file']
  if ((cert === undefined) !== (key === undefined)) throw new RangeError('--tls-cert-file and --tls-private-key-file go together')
  const tls = cert !== undefined && key !== undefined ? { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') } : await selfSignedServing('kube-scheduler')
  const registry = new Registry()
  // The scheduler and its metrics exist once it leads.
  registry.metrics = async () => scheduler()?.metrics.registry.metrics() ?? ''
  return startComponentServer({
    name: 'scheduler', address: flags['bind-address'], port: flags['secure-port'], tls, logger, metrics: registry,
    authenticate: delegatedAuthentication({ client }), authorize: delegatedAuthorization({ client }),
    checks: { ping: () => undefined },
  })
}
