import { CriError, type CriImplementation } from '@berth/cri'
import { containerEvents } from './container-events.ts'
import { checkpointContainer } from './containers/checkpoint.ts'
import { createContainer } from './containers/create.ts'
import { removeContainer, startContainer, stopContainer, updateContainerResources } from './containers/lifecycle.ts'
import { containerStatus, listContainers } from './containers/status.ts'
import { execSync } from './exec/exec-sync.ts'
import { attachUrl, execUrl, portForwardUrl } from './exec/streams.ts'
import type { StreamingServer } from './exec/streaming-server.ts'
import { imageStatus, listImages, pullImage, removeImage } from './images/images.ts'
import { createImageFsInfo, status, version } from './node-info.ts'
import { podSandboxResources, updatePodSandboxResources } from './sandbox/resources.ts'
import { runPodSandbox } from './sandbox/run.ts'
import { listPodSandbox, sandboxStatus } from './sandbox/status.ts'
import { removePodSandbox, stopPodSandbox } from './sandbox/stop.ts'
import type { Shim } from './shim.ts'
import type { PodMetrics } from './stats/metrics/pod-metrics.ts'
import type { Stats } from './stats/stats.ts'

/** What the service answers with besides the shim. */
export interface ServiceParts {
  streaming: StreamingServer
  stats: Stats
  podMetrics: PodMetrics
  engineRoot: string
  cgroupDriver: 'cgroupfs' | 'systemd'
}

/** How many items one message of a streamed list carries. */
const pageSize = 100

async function* pages<T, R>(items: readonly T[], answer: (page: T[]) => R): AsyncGenerator<R> {
  for (let start = 0; start < items.length; start += pageSize) yield answer(items.slice(start, start + pageSize))
}

/** CRI v1 as this runtime serves it: one line an RPC. */
export function createService(shim: Shim, { streaming, stats, podMetrics, engineRoot, cgroupDriver }: ServiceParts): CriImplementation {
  const imageFsInfo = createImageFsInfo(shim, engineRoot)
  return {
    version: async () => version(shim),
    status: ({ verbose }, { signal }) => status(shim, verbose, signal),
    runtimeConfig: async () => ({ linux: { cgroupDriver: cgroupDriver === 'systemd' ? 'SYSTEMD' : 'CGROUPFS' } }),
    updateRuntimeConfig: async ({ runtimeConfig }) => (shim.network.setPodCidr(runtimeConfig?.networkConfig?.podCidr ?? ''), {}),

    runPodSandbox: async (request, { signal }) => ({ podSandboxId: await runPodSandbox(shim, request, signal) }),
    stopPodSandbox: async ({ podSandboxId }) => (await stopPodSandbox(shim, podSandboxId), {}),
    removePodSandbox: async ({ podSandboxId }) => (await removePodSandbox(shim, podSandboxId), {}),
    listPodSandbox: async (request) => ({ items: await listPodSandbox(shim, request) }),
    async *streamPodSandboxes(request) {
      yield* pages(await listPodSandbox(shim, request), (podSandboxes) => ({ podSandboxes }))
    },
    updatePodSandboxResources: async (request) => (await updatePodSandboxResources(shim, request), {}),
    async podSandboxStatus({ podSandboxId, verbose }) {
      const record = await shim.store.mustSandbox(podSandboxId)
      const containers = await shim.store.containersOf(record.id)
      return {
        status: await sandboxStatus(shim, record),
        containersStatuses: containers.map(containerStatus),
        timestamp: BigInt(Date.now()) * 1_000_000n,
        info: verbose ? { info: JSON.stringify({ pid: record.pid, ...record.spec, resources: await podSandboxResources(record) }) } : {},
      }
    },

    createContainer: async (request) => ({ containerId: await createContainer(shim, request) }),
    startContainer: async ({ containerId }) => (await startContainer(shim, containerId), {}),
    stopContainer: async ({ containerId, timeout }) => (await stopContainer(shim, containerId, timeout), {}),
    removeContainer: async ({ containerId }) => (await removeContainer(shim, containerId), {}),
    listContainers: async (request) => ({ containers: await listContainers(shim, request) }),
    async *streamContainers(request) {
      yield* pages(await listContainers(shim, request), (containers) => ({ containers }))
    },
    async containerStatus({ containerId, verbose }) {
      const record = await shim.store.mustContainer(containerId)
      // Whoever sees that a container has ended will want its last words.
      if (record.state === 'exited') await shim.logs.drained(record.id)
      return { status: containerStatus(record), info: verbose ? { info: JSON.stringify({ pid: record.pid, sandboxID: record.spec.sandboxId }) } : {} }
    },
    updateContainerResources: async (request) => (await updateContainerResources(shim, request), {}),
    checkpointContainer: async (request, { signal }) => (await checkpointContainer(shim, request, signal), {}),
    reopenContainerLog: async ({ containerId }) => (await shim.logs.reopen(containerId), {}),

    execSync: (request, { signal }) => execSync(shim, request, signal),
    exec: async (request) => ({ url: await execUrl(shim, streaming, request) }),
    attach: async (request) => ({ url: await attachUrl(shim, streaming, request) }),
    portForward: async (request) => ({ url: await portForwardUrl(shim, streaming, request) }),

    containerStats: async ({ containerId }) => ({ stats: await stats.container(await shim.store.mustContainer(containerId)) }),
    listContainerStats: async ({ filter }) => ({ stats: await stats.containers(filter) }),
    async *streamContainerStats({ filter }) {
      yield* pages(await stats.containers(filter), (containerStats) => ({ containerStats }))
    },
    podSandboxStats: async ({ podSandboxId }) => ({ stats: await stats.sandbox(await shim.store.mustSandbox(podSandboxId)) }),
    listPodSandboxStats: async ({ filter }) => ({ stats: await stats.sandboxes(filter) }),
    async *streamPodSandboxStats({ filter }) {
      yield* pages(await stats.sandboxes(filter), (podSandboxStats) => ({ podSandboxStats }))
    },
    listMetricDescriptors: async () => ({ descriptors: podMetrics.descriptors() }),
    listPodSandboxMetrics: async () => ({ podMetrics: await podMetrics.list() }),
    async *streamPodSandboxMetrics() {
      yield* pages(await podMetrics.list(), (podSandboxMetrics) => ({ podSandboxMetrics }))
    },
    getContainerEvents: (_request, { signal }) => containerEvents(shim, signal),

    listImages: async ({ filter }) => ({ images: await listImages(shim, filter) }),
    async *streamImages({ filter }) {
      yield* pages(await listImages(shim, filter), (images) => ({ images }))
    },
    imageStatus: ({ image, verbose }) => imageStatus(shim, image?.image ?? '', verbose),
    async pullImage({ image, auth }, { signal }) {
      if (!image) throw new CriError('InvalidArgument', 'image: is required')
      return { imageRef: await pullImage(shim, image.image, auth, signal) }
    },
    removeImage: async ({ image }) => (await removeImage(shim, image?.image ?? ''), {}),
    imageFsInfo: () => imageFsInfo(),
  }
}
