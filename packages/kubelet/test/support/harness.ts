import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, Event, Pod, PodSpec } from '@berth/api/types/core/v1'
import { type CriClient, createCriClient } from '@berth/cri'
import { createClient, createLogger, inProcessTransport } from '@berth/kube'
import { openCgroups } from '../../src/cgroups/files.ts'
import type { KubeletConfiguration } from '../../src/config/configuration.ts'
import { type Kubelet, startKubelet } from '../../src/kubelet.ts'
import { nativeMounter } from '../../src/volumes/mounter.ts'
import { createMemoryApi, type MemoryApi } from './memory-api.ts'
import { startContainerd, testImage } from './containerd.ts'

/** A kubelet on a real runtime, with an API in memory. */
export interface Harness {
  readonly api: MemoryApi
  readonly cri: CriClient
  readonly dir: string
  kubelet(): Kubelet
  /** Ends the kubelet as a crash would: nothing is said to the runtime. */
  stopKubelet(): Promise<void>
  startKubelet(config?: KubeletConfiguration): Promise<void>
  /** Creates a pod on the node and gives its name. */
  create(name: string, spec: Partial<PodSpec>, metadata?: Partial<Pod['metadata']>): void
  pod(name: string): Pod | undefined
  /** Waits until the pod is as wanted. */
  until(name: string, what: string, wanted: (pod: Pod) => boolean, seconds?: number): Promise<Pod>
  /** Deletes the pod and waits until the API has it no more. */
  remove(name: string, graceSeconds?: number): Promise<void>
  events(name: string): Event[]
  stop(): Promise<void>
}

export const nodeName = 'node-1'

export async function startHarness(dir: string): Promise<Harness> {
  // The suite runs on any CRI runtime that has the test's image: KUBELET_TEST_ENDPOINT names its socket.
  const given = process.env.KUBELET_TEST_ENDPOINT
  const runtime = given ? { endpoint: given, stop: async () => {} } : await startContainerd(join(dir, 'containerd'))
  const api = createMemoryApi()
  const cri = createCriClient(runtime.endpoint)
  let kubelet: Kubelet | undefined
  const logger = createLogger({ name: 'kubelet', verbosity: process.env.KUBELET_TEST_LOG ? 3 : 0, ...(process.env.KUBELET_TEST_LOG ? {} : { write: () => {} }) })

  const start = async (config: KubeletConfiguration = {}): Promise<void> => {
    const client = createClient(inProcessTransport(api.handler, { name: `system:node:${nodeName}`, groups: ['system:nodes'] }))
    kubelet = await startKubelet({
      client, logger, nodeName, nodeIp: '10.250.77.1', runtimeEndpoint: runtime.endpoint,
      rootDir: join(dir, 'root'), podLogsDir: join(dir, 'logs'), containerLogsDir: join(dir, 'links'),
      config: { failCgroupV1: false, cgroupRoot: '/berth-kubelet-test', port: 0, healthzPort: 0, address: '127.0.0.1', clusterDNS: ['10.96.0.10'], clusterDomain: 'cluster.local', ...config },
    })
  }
  const path = (name: string): string => `/api/v1/namespaces/default/pods/${name}`
  const harness: Harness = {
    api, cri, dir,
    kubelet: () => {
      if (!kubelet) throw new Error('the kubelet does not run')
      return kubelet
    },
    stopKubelet: async () => {
      await kubelet?.stop()
      kubelet = undefined
    },
    startKubelet: start,
    create: (name, spec, metadata = {}) =>
      api.put(path(name), {
        apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default', uid: randomUUID(), generation: 1, ...metadata },
        spec: { nodeName, restartPolicy: 'Always', terminationGracePeriodSeconds: 2, containers: [], enableServiceLinks: true, ...spec },
      }),
    pod: (name) => api.get<Pod>(path(name)),
    until: async (name, what, wanted, seconds = 30) => {
      for (const end = Date.now() + seconds * 1000; ; ) {
        const pod = api.get<Pod>(path(name))
        if (pod && wanted(pod)) return pod
        if (Date.now() > end) throw new Error(`pod ${name} did not become "${what}": ${JSON.stringify(pod?.status)}\n${harness.events(name).map((e) => `${e.reason}: ${e.message}`).join('\n')}`)
        await new Promise((r) => setTimeout(r, 50))
      }
    },
    remove: async (name, graceSeconds = 2) => {
      api.deletePod('default', name, graceSeconds)
      await eventually(`pod ${name} is gone`, () => api.get(path(name)) === undefined)
    },
    events: (name) => api.list<Event>('/api/v1/events').filter((e) => e.involvedObject.name === name),
    stop: async () => {
      await kubelet?.stop()
      cri.close()
      await runtime.stop()
      await openCgroups().remove('/berth-kubelet-test').catch(() => {})
      // Never through a mount that a failed test has left.
      const mounter = nativeMounter()
      for (const point of await mounter.below(dir)) await mounter.unmount(point)
      await rm(dir, { recursive: true, force: true })
    },
  }
  await start()
  return harness
}

/** Waits until something holds. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`it did not come true: ${what}`)
    await new Promise((r) => setTimeout(r, 50))
  }
}

/** A container that runs a shell line. */
export const sh = (name: string, line: string, more: Partial<Container> = {}): Container => ({ name, image: testImage, command: ['/bin/sh', '-c', line], ...more })

/** A line that ends at once on SIGTERM, and sleeps until then. */
export const idle = 'trap "exit 0" TERM; while true; do sleep 1 & wait $!; done'

export const isReady = (pod: Pod): boolean => pod.status?.conditions?.find((c) => c.type === 'Ready')?.status === 'True'
export const statusOf = (pod: Pod, container: string) => [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((s) => s.name === container)
