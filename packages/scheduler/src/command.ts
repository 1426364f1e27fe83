import { writeFile } from 'node:fs/promises'
import { createClient, createInformers, defineCommand, kubeconfigHost, meteredTransport, parseDuration, transportFromKubeconfig, type Endpoint } from '@berth/kube'
import { readSchedulerConfig, schedulerConfigOf } from './config/config.ts'
import { featureGates, parseFeatureGates } from './config/feature-gates.ts'
import type { ClientConnectionConfig, LeaderElectionConfig, SchedulerConfig } from './config/types.ts'
import { ConfigError } from './errors.ts'
import { announce, announcedAt } from './explain/announce.ts'
import { explainEndpoints } from './explain/endpoint.ts'
import { ExplainService } from './explain/explain-service.ts'
import { whileLeading } from './lead.ts'
import type { Scheduler } from './loop/scheduler.ts'
import { rateLimited } from './rate-limit.ts'
import { serve } from './serving.ts'
import { prepareScheduler } from './start.ts'

const ofFile = ' Ignored where --config is given.'

const flagSpecs = {
  config: { type: 'string', description: 'The path to the configuration file (KubeSchedulerConfiguration, kubescheduler.config.k8s.io/v1).', group: 'misc' },
  master: { type: 'string', description: 'The address of the Kubernetes API server (overrides any value in kubeconfig).', group: 'misc' },
  'write-config-to': { type: 'string', description: 'If set, write the configuration values to this file and exit.', group: 'misc' },
  'bind-address': { type: 'string', description: 'The address to serve metrics and health on.', default: '0.0.0.0', group: 'secure serving' },
  'secure-port': { type: 'number', description: 'The port to serve HTTPS on; 0 serves none.', default: 10259, group: 'secure serving' },
  'tls-cert-file': { type: 'string', description: 'The serving certificate (PEM); a self-signed one where absent.', group: 'secure serving' },
  'tls-private-key-file': { type: 'string', description: 'Its private key (PEM).', group: 'secure serving' },
  'authentication-kubeconfig': { type: 'string', description: 'A kubeconfig that may create tokenreviews.authentication.k8s.io; the scheduler\'s own where absent.', group: 'authentication' },
  'authentication-skip-lookup': { type: 'boolean', description: 'Do not look up who signs client certificates in the cluster.', default: false, group: 'authentication' },
  'authentication-token-webhook-cache-ttl': { type: 'duration', description: 'How long answers about tokens are kept.', default: '10s', group: 'authentication' },
  'authentication-tolerate-lookup-failure': { type: 'boolean', description: 'Go on where that lookup fails.', default: true, group: 'authentication' },
  'client-ca-file': { type: 'string', description: 'Whoever presents a certificate signed by one of these authorities is known by its common name.', group: 'authentication' },
  'authorization-kubeconfig': { type: 'string', description: 'A kubeconfig that may create subjectaccessreviews.authorization.k8s.io; the scheduler\'s own where absent.', group: 'authorization' },
  'authorization-always-allow-paths': { type: 'string[]', description: 'Paths that need no authorization.', default: ['/healthz', '/readyz', '/livez'], group: 'authorization' },
  'authorization-webhook-cache-authorized-ttl': { type: 'duration', description: 'How long a yes is kept.', default: '10s', group: 'authorization' },
  'authorization-webhook-cache-unauthorized-ttl': { type: 'duration', description: 'How long a no is kept.', default: '10s', group: 'authorization' },
  kubeconfig: { type: 'string', description: `DEPRECATED: the path to a kubeconfig; the cluster this runs in, where absent.${ofFile.replace('.', ' and names one.')}`, group: 'deprecated' },
  'kube-api-qps': { type: 'number', description: `DEPRECATED: requests a second to the API server; any number where absent.${ofFile}`, group: 'deprecated' },
  'kube-api-burst': { type: 'number', description: `DEPRECATED: requests at once to the API server.${ofFile}`, default: 100, group: 'deprecated' },
  'kube-api-content-type': { type: 'string', description: `DEPRECATED: the content type of requests.${ofFile}`, group: 'deprecated' },
  'pod-max-in-unschedulable-pods-duration': { type: 'duration', description: 'DEPRECATED: how long a pod stays unschedulable before it is tried again without any event.', default: '5m', group: 'deprecated' },
  'leader-elect': { type: 'boolean', description: 'Elect a leader before scheduling.', default: true, group: 'leader election' },
  'leader-elect-lease-duration': { type: 'duration', description: 'How long others wait after the last renewal before they try to lead.', default: '15s', group: 'leader election' },
  'leader-elect-renew-deadline': { type: 'duration', description: 'How long the leader tries to renew before it gives up.', default: '10s', group: 'leader election' },
  'leader-elect-retry-period': { type: 'duration', description: 'The pause between tries.', default: '2s', group: 'leader election' },
  'leader-elect-resource-lock': { type: 'string', description: 'The kind of lock; leases alone.', default: 'leases', group: 'leader election' },
  'leader-elect-resource-name': { type: 'string', description: 'The name of the lease.', default: 'kube-scheduler', group: 'leader election' },
  'leader-elect-resource-namespace': { type: 'string', description: 'The namespace of the lease.', default: 'kube-system', group: 'leader election' },
  'feature-gates': { type: 'string', description: 'Features to switch on or off, as upstream names them: A=true,B=false.', default: '', group: 'feature gate' },
  'plain-path': { type: 'boolean', description: 'Compute every decision anew instead of by the engine: slow, for comparison alone.', default: false, hidden: true },
} as const

type Flags = Parameters<Parameters<typeof defineCommand<typeof flagSpecs>>[0]['run']>[0]

/** The file, or what deprecated flags say in its place; the flags of leader election go before either. */
async function configOf(flags: Flags, given: ReadonlySet<string>): Promise<SchedulerConfig> {
  const gates = featureGates(parseFeatureGates(flags['feature-gates']))
  const connection = {
    ...(given.has('kubeconfig') ? { kubeconfig: flags.kubeconfig ?? '' } : {}),
    ...(given.has('kube-api-qps') ? { qps: flags['kube-api-qps'] ?? 0 } : {}),
    ...(given.has('kube-api-burst') ? { burst: flags['kube-api-burst'] } : {}),
    ...(given.has('kube-api-content-type') ? { contentType: flags['kube-api-content-type'] ?? '' } : {}),
  }
  const read = flags.config === undefined ? schedulerConfigOf({ clientConnection: connection }, gates) : await readSchedulerConfig(flags.config, gates)
  const { leaderElection: file } = read
  const pick = <T>(flag: keyof Flags & string, value: T, otherwise: T): T => (given.has(flag) ? value : otherwise)
  if (flags['leader-elect-resource-lock'] !== 'leases') throw new ConfigError(`--leader-elect-resource-lock: Invalid value: ${JSON.stringify(flags['leader-elect-resource-lock'])}: resourceLock value must be "leases"`)
  const leaderElection: LeaderElectionConfig = {
    leaderElect: pick('leader-elect', flags['leader-elect'], file.leaderElect),
    namespace: pick('leader-elect-resource-namespace', flags['leader-elect-resource-namespace'], file.namespace),
    name: pick('leader-elect-resource-name', flags['leader-elect-resource-name'], file.name),
    leaseDurationMs: pick('leader-elect-lease-duration', flags['leader-elect-lease-duration'], file.leaseDurationMs),
    renewDeadlineMs: pick('leader-elect-renew-deadline', flags['leader-elect-renew-deadline'], file.renewDeadlineMs),
    retryPeriodMs: pick('leader-elect-retry-period', flags['leader-elect-retry-period'], file.retryPeriodMs),
  }
  return { ...read, leaderElection, maxUnschedulableMs: flags['pod-max-in-unschedulable-pods-duration'] || parseDuration('5m') }
}

async function clientOf(flags: Flags, { kubeconfig, qps, burst }: ClientConnectionConfig, registry: Parameters<typeof meteredTransport>[1]) {
  // A file of upstream's may leave it to the flag, and here the flag is heard then.
  const path = kubeconfig || flags.kubeconfig
  const transport = transportFromKubeconfig(path, flags.master === undefined ? {} : { server: flags.master })
  const host = flags.master === undefined ? await kubeconfigHost(path).catch(() => '') : new URL(flags.master).host
  const metered = await meteredTransport(transport, registry, host)
  return { client: createClient(rateLimited(metered, { qps, burst }), { userAgent: 'berth-scheduler' }), elector: createClient(metered, { userAgent: 'berth-scheduler/leader-election' }) }
}

export const command = defineCommand({
  name: 'berth scheduler',
  summary: 'Run the scheduler against any API server',
  description: 'Runs the scheduler against any API server, in place of kube-scheduler or, with another schedulerName, beside it.',
  flags: flagSpecs,
  async run(flags, _positionals, io) {
    const { logger, signal } = io
    const config = await configOf(flags, io.given)
    if (flags['write-config-to'] !== undefined) {
      const { stringify } = await import('yaml')
      await writeFile(flags['write-config-to'], stringify(config.document, { aliasDuplicateObjects: false }))
      logger.info('Wrote configuration to file', { file: flags['write-config-to'] })
      return 0
    }
    const { Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    const { client, elector } = await clientOf(flags, config.clientConnection, registry)
    let isLeading = false
    new Gauge({ name: 'leader_election_master_status', help: 'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. \'name\' is the string used to identify the lease. Please make sure to group by name.', labelNames: ['name'], registers: [registry], collect() { this.set({ name: config.leaderElection.name }, isLeading ? 1 : 0) } })
    const ended = new AbortController()
    let failure: Error | undefined
    const stopping = AbortSignal.any([signal, ended.signal])
    const scheduler: Scheduler = prepareScheduler({
      client, config, logger, informers: createInformers(client, { logger }), plainPath: flags['plain-path'],
      thread: { verbosity: io.verbosity, onDied(error) { failure = error; ended.abort() } },
    })
    const explain = new ExplainService({ loop: scheduler.loop, config, logger, verbosity: io.verbosity })
    let known = false
    const ownMetrics = registry.metrics.bind(registry)
    registry.metrics = async () => `${await ownMetrics()}\n${await scheduler.loop.metrics()}`
    const resources: Endpoint = async () => ({ status: 200, contentType: registry.contentType, body: await scheduler.loop.resources() })
    const server = await serve({
      flags, client, logger, metrics: registry,
      config: () => ({ componentconfig: config.document }),
      checks: { ping: () => undefined },
      readyChecks: { 'sched-handler-sync': () => { if (!known && (isLeading || !config.delayCacheUntilActive)) throw new Error('waiting for handlers to sync') } },
      endpoints: { '/metrics/resources': resources, ...explainEndpoints((question) => explain.ask(question)) },
    })
    const start = async (): Promise<void> => {
      await scheduler.start()
      known = true
    }
    // The cluster is read before this process leads, unless the file says otherwise.
    const warming = config.delayCacheUntilActive ? undefined : start()
    warming?.catch(() => undefined)
    try {
      const code = await whileLeading({
        client: elector, election: config.leaderElection, logger, signal: stopping,
        onElected: (leads) => { isLeading = leads },
        async onLead() {
          await (warming ?? start()).catch((error: unknown) => { if (!stopping.aborted) throw error })
          scheduler.lead()
          if (server) await announce(elector, config.leaderElection, announcedAt(server, flags['bind-address'], io.env)).catch((error: unknown) => logger.error(error, 'Cannot say on the lease where questions are answered'))
          return () => scheduler.stop()
        },
      })
      if (failure) throw failure
      return code
    } finally {
      await explain.stop()
      await scheduler.stop()
      await server?.close()
    }
  },
})
