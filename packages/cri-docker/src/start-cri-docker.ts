import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createCniRunner, isCriError, serveCri } from '@berth/cri'
import type { Logger, RunningPart } from '@berth/kube'
import type { Registry } from 'prom-client'
import { cgroupAbilities } from './containers/cgroup-files.ts'
import { connectEngine } from './engine/connect.ts'
import { engineStatus } from './errors.ts'
import { startStreamingServer } from './exec/streaming-server.ts'
import { createImageUserReader } from './images/image-users.ts'
import { KeyedLocks } from './locks.ts'
import { createLogKeeper } from './logs/keeper.ts'
import { createMetrics } from './metrics.ts'
import { createOomScoreClamp } from './oom-score.ts'
import { createRuntimes } from './runtimes.ts'
import { removeSandboxFiles } from './sandbox/files.ts'
import { createPodNetwork } from './sandbox/network.ts'
import { createPauseImage } from './sandbox/pause-image.ts'
import { stopPodSandbox } from './sandbox/stop.ts'
import { createService } from './service.ts'
import type { Shim } from './shim.ts'
import { defaultNode } from './state/labels.ts'
import { Store } from './state/store.ts'
import { createPodMetrics } from './stats/metrics/pod-metrics.ts'
import { createStatsSources } from './stats/sources.ts'
import { createStats } from './stats/stats.ts'

/** What the shim is started with. */
export interface CriDockerOptions {
  /** The Engine's unix socket: `unix:///run/docker.sock`. Its files must be this machine's. */
  dockerHost: string
  /** Where CRI is served: `unix:///run/cri-docker.sock`. */
  endpoint: string
  cniConfDir: string
  cniBinDirs: readonly string[]
  /** Where CNI results are kept; libcni's own place by default. */
  cniCacheDir?: string
  /** The sandboxes' own files. */
  rootDir: string
  /** host:port of the streaming server; port 0 takes a free one. */
  streamingAddress: string
  /** Only sandboxes with this label are ours: one Engine may serve several nodes, and other people. `default` where it serves one. */
  nodeLabel?: string
  /** A container whose network stands for the node's, where the node is a namespace itself; without it pods with the node's network get the host's. */
  hostNetworkContainer?: string
  /** Put before every cgroup parent that does not begin with it. */
  cgroupParentPrefix?: string
  /** A pull that makes no progress for so long is cancelled; 5 minutes by default. */
  imagePullProgressDeadlineMs?: number
  /** Where the shim's metrics go. */
  metrics?: Registry
  logger: Logger
}

/**
 * Starts the runtime shim: reads what there is in the Engine, takes up its containers' logs where they were left, and serves CRI. Rejects where the Engine cannot be reached or the
 * socket is another's. Stopping it leaves all containers as they are.
 */
export async function startCriDocker(options: CriDockerOptions): Promise<RunningPart> {
  const { logger, nodeLabel = defaultNode } = options
  const engine = await connectEngine(options.dockerHost)
  const info = (await engine.docker.info()) as { DockerRootDir: string; CgroupDriver: string }
  const cgroupDriver = info.CgroupDriver === 'systemd' ? 'systemd' : 'cgroupfs'
  await mkdir(join(options.rootDir, 'sandboxes'), { recursive: true })
  const store = new Store(engine, nodeLabel, logger)
  const runner = createCniRunner({ binDirs: options.cniBinDirs, ...(options.cniCacheDir === undefined ? {} : { cacheDirectory: options.cniCacheDir }) })
  const shim: Shim = {
    engine,
    store,
    network: createPodNetwork(runner, options.cniConfDir),
    pause: createPauseImage(engine),
    logs: createLogKeeper(store, info.DockerRootDir, logger),
    locks: new KeyedLocks(),
    pullProgressMs: options.imagePullProgressDeadlineMs ?? 300_000,
    runtimes: createRuntimes(engine),
    imageUsers: createImageUserReader(engine, nodeLabel),
    cgroups: await cgroupAbilities(),
    clampOomScore: createOomScoreClamp(logger),
    node: nodeLabel,
    rootDir: options.rootDir,
    hostNetwork: options.hostNetworkContainer === undefined ? 'host' : `container:${options.hostNetworkContainer}`,
    anchor: options.hostNetworkContainer ?? '',
    cgroupParentPrefix: options.cgroupParentPrefix ?? '',
    cgroupDriver,
    readProfile: (path) => readFile(path, 'utf8'),
    logger,
  }
  const metrics = options.metrics && createMetrics(options.metrics)
  const sources = createStatsSources(shim, info.DockerRootDir)
  const stats = createStats(shim, sources)
  const podMetrics = createPodMetrics(shim, sources)
  await store.start()
  const closers: (() => Promise<void>)[] = [() => store.stop()]
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close()
  }
  try {
    await shim.logs.start()
    closers.push(() => shim.logs.stop())
    forgetVanished(shim)
    await removeOrphanedFiles(shim)
    const collectHelpers = (): void => void shim.imageUsers.collect().catch((error: unknown) => logger.error(error, 'Cannot remove helping containers'))
    // Whenever the Engine was away something may have been cut off.
    store.on('connected', collectHelpers)
    collectHelpers()
    await endFormerLife(shim)
    void collectNetwork(shim)
    const streaming = await startStreamingServer(options.streamingAddress)
    closers.push(() => streaming.close())
    const service = createService(shim, { streaming, stats, podMetrics, engineRoot: info.DockerRootDir, cgroupDriver })
    const server = await serveCri(service, options.endpoint, {
      onError: (rpc, error) => {
        // What a kubelet asks for and is not there is its daily business.
        if (!isCriError(error, 'NotFound', 'Unimplemented', 'Canceled')) logger.error(error, 'RPC failed', { rpc })
      },
      onCall: (rpc, seconds, failed) => metrics?.observe(rpc, seconds, failed),
    })
    closers.push(() => server.close())
  } catch (error) {
    await stop()
    throw error
  }
  logger.info('Serving CRI', { endpoint: options.endpoint, docker: engine.version, node: nodeLabel })
  let stopping: Promise<void> | undefined
  return { name: 'cri-docker', stop: () => (stopping ??= stop()) }
}

/** Addresses and rules of sandboxes that went while the shim was down. Nobody waits for it. */
async function collectNetwork(shim: Shim): Promise<void> {
  const known = async (id: string): Promise<boolean> => {
    try {
      await shim.engine.docker.getContainer(id).inspect()
      return true
    } catch (error) {
      if (engineStatus(error) === 404) return false
      throw error
    }
  }
  await shim.network.collect(known).catch((error: unknown) => shim.logger.error(error, 'Cannot collect what vanished sandboxes hold of the network'))
}

/** A sandbox that somebody else removed from the Engine still has its network's leftovers and its files. */
function forgetVanished(shim: Shim): void {
  shim.store.on('change', ({ kind, record }) => {
    if (kind !== 'deleted' || record.spec.kind !== 'sandbox') return
    const { spec } = record
    const clean = async (): Promise<void> => {
      if (spec.namespaces.network !== 'NODE') await shim.network.detach(record.id, 0, undefined)
      await removeSandboxFiles(shim.engine, spec.directory)
    }
    clean().catch((error: unknown) => shim.logger.error(error, 'Cannot clean up after a sandbox that is gone', { id: record.id }))
  })
}

/**
 * Where the node is a container's network namespace, another container than before is the node's reboot: what ran on it has lost its way to the network and ends, so that the
 * kubelet starts it anew.
 */
async function endFormerLife(shim: Shim): Promise<void> {
  const former = (await shim.store.sandboxes()).filter(({ state, spec }) => state === 'running' && spec.anchor !== shim.anchor)
  if (former.length > 0) shim.logger.info('The node has rebooted: its sandboxes end', { sandboxes: former.length })
  for (const { id } of former) {
    await stopPodSandbox(shim, id).catch((error: unknown) => shim.logger.error(error, 'Cannot end a sandbox from before the reboot', { id }))
  }
}

/** Files of sandboxes that went while the shim was down. */
async function removeOrphanedFiles(shim: Shim): Promise<void> {
  const folder = join(shim.rootDir, 'sandboxes')
  const used = new Set((await shim.store.sandboxes()).map(({ spec }) => spec.directory))
  for (const name of await readdir(folder)) if (!used.has(join(folder, name))) await removeSandboxFiles(shim.engine, join(folder, name))
}
