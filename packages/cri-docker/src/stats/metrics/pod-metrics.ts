import { readFile, statfs } from 'node:fs/promises'
import type { ContainerMetrics, Init, Metric, MetricDescriptor, PodSandboxMetrics } from '@berth/cri'
import type { Shim } from '../../shim.ts'
import type { ContainerRecord, SandboxRecord } from '../../state/record.ts'
import { parentOf } from '../cgroup.ts'
import { type NetworkCounters, parseNetDev } from '../net-dev.ts'
import type { StatsSources } from '../sources.ts'
import { commonLabels, metricDefinitions, type MetricInput } from './descriptors.ts'
import { readSample } from './sample.ts'

/** ListMetricDescriptors and ListPodSandboxMetrics: what cAdvisor tells of containers, from the kernel's files. */
export interface PodMetrics {
  descriptors(): Init<MetricDescriptor>[]
  /** All sandboxes that run. */
  list(): Promise<Init<PodSandboxMetrics>[]>
}

export function createPodMetrics(shim: Shim, sources: StatsSources): PodMetrics {
  const ofContainer = async (record: ContainerRecord, sandbox: SandboxRecord, disk: Awaited<ReturnType<typeof fileSystem>>): Promise<Init<ContainerMetrics> | undefined> => {
    const paths = await sources.pathsOf(record)
    if (!paths) return undefined
    const usage = await sources.disks.first(record.upperDir)
    const { startedAt, resources } = record
    const input: MetricInput = { sample: await readSample(paths, record.pid), now: Date.now(), container: { startedAt, resources, disk: { ...disk, usage: usage?.bytes ?? 0n } } }
    const { namespace, name: pod } = sandbox.spec.metadata
    return { containerId: record.id, metrics: metricsOf(input, [record.spec.metadata.name, record.id, record.spec.image, record.name, namespace, pod]) }
  }

  const ofSandbox = async (sandbox: SandboxRecord, disk: Awaited<ReturnType<typeof fileSystem>>): Promise<Init<PodSandboxMetrics>> => {
    const own = await sources.pathsOf(sandbox)
    // Without a parent of its own a sandbox has no cgroup that holds it alone.
    const sample = own && sandbox.spec.cgroupParent !== '' ? await readSample(parentOf(own), 0) : { memory: new Map(), devices: [], hugePages: [], pressure: new Map() }
    const network = await networkOf(sandbox)
    const { namespace, name: pod } = sandbox.spec.metadata
    const metrics = metricsOf({ sample, now: Date.now(), ...(network ? { network } : {}) }, ['', sandbox.id, '', sandbox.name, namespace, pod])
    const running = (await shim.store.containersOf(sandbox.id)).filter(({ state }) => state === 'running')
    const containers = await Promise.all(running.map((container) => ofContainer(container, sandbox, disk)))
    return { podSandboxId: sandbox.id, metrics, containerMetrics: containers.filter((container) => container !== undefined) }
  }

  return {
    descriptors: () => metricDefinitions.map(({ name, help, labels }) => ({ name, help, labelKeys: [...commonLabels, ...labels] })),
    async list() {
      const disk = await fileSystem(sources.engineRoot)
      const running = (await shim.store.sandboxes()).filter(({ state }) => state === 'running')
      return Promise.all(running.map((sandbox) => ofSandbox(sandbox, disk)))
    },
  }
}

/** The metrics that have a value, each with the common labels' values first. */
export function metricsOf(input: MetricInput, common: readonly string[]): Init<Metric>[] {
  const timestamp = BigInt(input.now) * 1_000_000n
  return metricDefinitions.flatMap(({ name, type, read }) =>
    read(input).flatMap(([value, ...labels]) => (value === undefined ? [] : [{ name, timestamp, metricType: type, labelValues: [...common, ...labels], value: { value: BigInt(value) } }])),
  )
}

async function fileSystem(path: string): Promise<{ limit: bigint; inodesFree: bigint; inodesTotal: bigint; device: string }> {
  const { bsize, blocks, files, ffree } = await statfs(path, { bigint: true })
  return { limit: blocks * bsize, inodesFree: ffree, inodesTotal: files, device: path }
}

async function networkOf({ pid, spec }: SandboxRecord): Promise<NetworkCounters[] | undefined> {
  if (pid === 0 || spec.namespaces.network === 'NODE') return undefined
  const text = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : parseNetDev(text)
}
