import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { core } from '@berth/api'
import type { ConfigMap, Pod, Secret, Service } from '@berth/api/types/core/v1'
import { createCriClient } from '@berth/cri'
import { createEventRecorder, createInformers, createLogger, type Informers, type KubeClient, type Logger, type RunningPart, sleep, systemClock } from '@berth/kube'
import { enforceAllocatable } from './cgroups/enforce.ts'
import { openCgroups } from './cgroups/files.ts'
import { type KubeletConfiguration, resolveSettings, type SettingsSource } from './config/configuration.ts'
import type { KubeletSettings } from './config/settings.ts'
import { ConfigError, messageOf } from './errors.ts'
import { collectImages } from './images/garbage.ts'
import { createImageManager } from './images/manager.ts'
import { startLogRotation } from './logs/rotation.ts'
import { createMetrics } from './metrics.ts'
import { meteredClient } from './runtime/metered.ts'
import { createNodeAgent } from './node/agent.ts'
import { startNodeLease } from './node/lease.ts'
import { defaultAddresses, readMachine } from './node/machine.ts'
import { createBoundVolumes } from './objects/claims.ts'
import { createObjectCache } from './objects/object-cache.ts'
import { createTokenSource } from './objects/tokens.ts'
import { BackOff } from './pods/back-off.ts'
import { parseResolvConf } from './pods/dns.ts'
import { amountOf } from './pods/resources.ts'
import { fromTime } from './pods/time.ts'
import { createProbeManager } from './probes/manager.ts'
import { createRuntimeReader, type glimpsePods } from './runtime/read.ts'
import { startServer } from './server/server.ts'
import { isMirror } from './static/mirror.ts'
import { createStaticPods, type StaticPods } from './static/source.ts'
import { createVolumeManager } from './volumes/manager.ts'
import { nativeMounter } from './volumes/mounter.ts'
import { volumePlugins } from './volumes/registry.ts'
import type { WorkerContext } from './workers/context.ts'
import { houseKeep } from './workers/housekeeping.ts'
import { createPodManager, type PodManager } from './workers/manager.ts'
import { createPleg } from './workers/pleg.ts'
import { createStatusManager } from './workers/status-manager.ts'

/** How to start a kubelet. What is not given has upstream's default. */
export interface KubeletOptions {
  client: KubeClient
  nodeName: string
  config?: KubeletConfiguration
  /** `unix:///…` of a CRI runtime. */
  runtimeEndpoint?: string
  /** /var/lib/kubelet */
  rootDir?: string
  nodeIp?: string | readonly string[]
  nodeLabels?: Readonly<Record<string, string>>
  registerNode?: boolean
  registerWithTaints?: SettingsSource['registerWithTaints']
  /** Where the runtime writes pods' logs: /var/log/pods. */
  podLogsDir?: string
  /** Links for log collectors: /var/log/containers. */
  containerLogsDir?: string
  staticPodPath?: string
  /** Reported instead of the machine's own, where several nodes share it. */
  capacity?: Readonly<Record<string, string>>
  /** PEM of the client CA, where it is not a file named in the configuration. */
  clientCa?: string
  /** PEM serving certificate and key. */
  serving?: { cert: string; key: string }
  informers?: Informers
  logger?: Logger
}

export interface Kubelet extends RunningPart {
  /** Of the server on 10250; 0 when it is off. */
  readonly port: number
  readonly pods: () => Pod[]
}

const housekeepingMs = 10_000
const firstHousekeepingMs = 2000
const garbageMs = 60_000
const runtimeRetryMs = 1000

/** Starts the node agent. Resolves when the node is registered and pods are looked after; rejects with a ConfigError where it may not run. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const logger = options.logger ?? createLogger({ name: 'kubelet' })
  const settings = resolveSettings({
    ...options,
    config: options.config ?? {},
    rootDir: options.rootDir ?? '/var/lib/kubelet',
    nodeIps: typeof options.nodeIp === 'string' ? [options.nodeIp] : (options.nodeIp ?? []),
  })
  const cgroups = openCgroups()
  await checkHost(settings, cgroups.version)
  await mkdir(settings.rootDir, { recursive: true, mode: 0o750 })
  const stop = new AbortController()
  const { signal } = stop
  const clock = systemClock
  const { client } = options
  const metrics = createMetrics()
  const cri = meteredClient(createCriClient(settings.runtimeEndpoint, { timeoutMs: settings.runtimeRequestTimeoutMs }), metrics)
  const version = await runtimeVersion(cri, logger, signal)
  const machine = await readMachine()
  const addresses = settings.nodeIps.length > 0 ? settings.nodeIps : await defaultAddresses()
  metrics.nodeName.set({ node: settings.nodeName }, 1)
  const recorder = createEventRecorder({ client, component: 'kubelet', host: settings.nodeName, logger })
  const informers = options.informers ?? createInformers(client, { logger })

  const pods = informers.for(core.pods, { fieldSelector: `spec.nodeName=${settings.nodeName}`, project: withoutManagedFields, indexers: { uid: (p) => [p.metadata.uid ?? ''] } })
  const nodes = informers.for(core.nodes, { fieldSelector: `metadata.name=${settings.nodeName}`, project: withoutManagedFields })
  const services = informers.for(core.services, { project: serviceFacts })
  // Assigned below; the callbacks run later.
  const late: { manager?: PodManager; statics?: StaticPods } = {}
  const live = (uid: string): Pod | undefined => pods.store.byIndex('uid', uid)[0] ?? late.statics?.mirrorOf(uid)

  let server: Awaited<ReturnType<typeof startServer>> | undefined
  const agent = createNodeAgent({
    client, cri, settings, machine, recorder, clock, logger, runtimeVersion: `${version.name}://${version.version}`, addresses: () => addresses,
    serverPort: () => server?.port ?? settings.port, live: () => nodes.store.get(settings.nodeName), readyChanged: () => late.manager?.pokeAll(),
  })
  const changed = (owners: string[]): void => {
    for (const uid of owners) late.manager?.poke(uid)
  }
  const cacheOptions = { client, detection: settings.changeDetection, logger, signal, changed }
  const context: WorkerContext = {
    settings, client, cri, recorder, logger, clock, metrics, cgroups,
    runtime: createRuntimeReader(cri),
    runtimeName: version.name,
    volumes: createVolumeManager({ rootDir: settings.rootDir, mounter: nativeMounter(), plugins: volumePlugins }),
    images: createImageManager({ cri, recorder, clock, maxParallelPulls: settings.maxParallelPulls }),
    probes: createProbeManager({
      cri, recorder, clock, logger,
      changed: (uid) => late.manager?.poke(uid),
      counted: (kind, result, pod, container) =>
        metrics.probes.inc({ probe_type: kind[0]?.toUpperCase() + kind.slice(1), result, container, pod: pod.metadata.name, namespace: pod.metadata.namespace ?? '', pod_uid: pod.metadata.uid ?? '' }),
    }),
    statuses: createStatusManager({ client, logger, live }),
    configMaps: createObjectCache<ConfigMap>({ ...cacheOptions, resource: core.configmaps }),
    secrets: createObjectCache<Secret>({ ...cacheOptions, resource: core.secrets }),
    tokens: createTokenSource(client, () => clock.now()),
    boundVolumes: createBoundVolumes(client),
    restarts: new BackOff(Math.min(10_000, settings.crashLoopMaxMs), settings.crashLoopMaxMs),
    memoryCapacity: settings.capacityOverride?.memory ? amountOf('memory', settings.capacityOverride.memory) : machine.memoryBytes,
    hostIps: () => addresses,
    node: () => agent.node(),
    services: async () => {
      await services.whenSynced(signal)
      return services.store.list()
    },
    hostDns: async () => parseResolvConf(settings.resolvConf === '' ? '' : await readFile(settings.resolvConf, 'utf8').catch(() => '')),
    networkProblem: () => agent.networkProblem(),
    recursiveReadOnly: () => agent.features().recursiveReadOnlyMounts,
    finished: (pod) => late.manager?.finished(pod),
  }
  const manager = createPodManager(context, () => agent.node())
  late.manager = manager

  let listed: Awaited<ReturnType<typeof glimpsePods>> | undefined
  const pleg = createPleg({
    cri, clock, logger, metrics,
    changed: (uid) => manager.poke(uid),
    listed: (glimpse) => {
      listed = glimpse
      context.runtime.retain(new Set(glimpse.containers.map((c) => c.id)))
      metrics.runningPods.set([...glimpse.pods.values()].filter((p) => p.running).length)
      metrics.runningContainers.set({ container_state: 'running' }, glimpse.containers.filter((c) => c.state === 'CONTAINER_RUNNING').length)
    },
  })
  if (settings.enableServer) {
    server = await startServer({ context, pods: manager, metrics, options, pleg })
    logger.info('Starting to listen', { address: settings.address, port: server.port })
  }
  await enforceAllocatable(context, machine)
  informers.start(signal)
  context.statuses.start(signal)
  await agent.start(signal)
  startNodeLease({ client, nodeName: settings.nodeName, durationSeconds: settings.nodeLeaseSeconds, clock, logger, signal })
  await pods.whenSynced(signal)
  if (settings.staticPodPath) {
    late.statics = createStaticPods({
      path: settings.staticPodPath, nodeName: settings.nodeName, client, pods: manager, apiPods: () => pods.store.list(), node: () => agent.node(), mirrored: context.statuses.again, clock, logger, everyMs: settings.fileCheckMs, signal,
    })
    await late.statics.start()
  }
  // Oldest first, so that after a restart the same pods are admitted as before.
  for (const pod of pods.store.list().toSorted((a, b) => fromTime(a.metadata.creationTimestamp) - fromTime(b.metadata.creationTimestamp))) if (!isMirror(pod)) manager.upsert(pod)
  const mirrorOr = (act: (p: Pod) => void) => (p: Pod): void => (isMirror(p) ? late.statics?.poke(p) : act(p))
  pods.on({ added: mirrorOr(manager.upsert), updated: (_, p) => mirrorOr(manager.upsert)(p), deleted: mirrorOr(manager.removed) })
  pleg.start(signal)
  startLogRotation({ context, listed: () => listed?.containers ?? [], signal })

  let keeping: Promise<void> | undefined
  const every = (ms: number, work: () => Promise<void>): void => {
    void (async () => {
      // The first time soon: what a kubelet finds that was away is the most.
      for (let wait = Math.min(ms, firstHousekeepingMs); !signal.aborted; wait = ms) {
        await sleep(clock, wait, signal).catch(() => {})
        if (!signal.aborted) await work().catch((error: unknown) => logger.error(error, 'Housekeeping failed'))
      }
    })()
  }
  every(housekeepingMs, async () => {
    if (!listed || pleg.lastRelist() === 0) return
    await pleg.relist()
    keeping = houseKeep(context, manager, listed)
    await keeping
  })
  every(garbageMs, () => collectImages(context))

  return {
    name: 'kubelet',
    port: server?.port ?? 0,
    pods: () => manager.list(),
    stop: async () => {
      if (signal.aborted) return
      stop.abort()
      manager.stop()
      await server?.close()
      await keeping?.catch(() => {})
      await recorder.flush()
      cri.close()
    },
  }
}

function withoutManagedFields<T extends { metadata: { managedFields?: unknown } }>(object: T): T {
  delete object.metadata.managedFields
  return object
}

/** Only what Service variables are made of. */
function serviceFacts(service: Service): Service {
  const { name, namespace, uid, resourceVersion } = service.metadata
  return {
    metadata: { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    spec: { ...(service.spec?.clusterIP ? { clusterIP: service.spec.clusterIP } : {}), ...(service.spec?.ports ? { ports: service.spec.ports } : {}) },
  }
}

/** Upstream refuses to start on such hosts unless it is told otherwise. */
async function checkHost(settings: KubeletSettings, cgroupVersion: 1 | 2): Promise<void> {
  if (cgroupVersion === 1 && settings.failCgroupV1)
    throw new ConfigError('kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release (failCgroupV1: false in the configuration allows it)')
  if (settings.failSwapOn && existsSync('/proc/swaps')) {
    const lines = (await readFile('/proc/swaps', 'utf8')).trim().split('\n').slice(1)
    if (lines.length > 0) throw new ConfigError(`running with swap on is not supported, please disable swap or set failSwapOn to false. /proc/swaps contains: ${lines.join('; ')}`)
  }
}

/** Who the runtime is. Waits for it: it may start after us. */
async function runtimeVersion(cri: ReturnType<typeof createCriClient>, logger: Logger, signal: AbortSignal): Promise<{ name: string; version: string }> {
  for (;;) {
    try {
      const { runtimeName, runtimeVersion: version } = await cri.version({ version: '0.1.0' }, { timeoutMs: 5000 })
      return { name: runtimeName, version: version.replace(/^v/, '') }
    } catch (error) {
      signal.throwIfAborted()
      logger.info('Waiting for the container runtime', { err: messageOf(error) })
      await sleep(systemClock, runtimeRetryMs, signal)
    }
  }
}
