import { core } from '@berth/api'
import type { Node, NodeStatus } from '@berth/api/types/core/v1'
import { type CriClient, type Image } from '@berth/cri'
import { type Clock, type EventRecorder, isAlreadyExists, type KubeClient, type Logger, type Timer } from '@berth/kube'
import type { KubeletSettings } from '../config/settings.ts'
import { messageOf } from '../errors.ts'
import { stableJson } from '../pods/containers.ts'
import { type Machine, readUsage } from './machine.ts'
import { nodeStatus, notReadyReasons, type RuntimeView } from './status.ts'

/** The node's own object: registered once, then kept true. */
export interface NodeAgent {
  /** Registers the node (or finds it) and begins to report; resolves at the first success. */
  start(signal: AbortSignal): Promise<void>
  /** The node as last read from or written to the API; before that, as it will be. */
  node(): Node
  /** Why pods with a network of their own cannot run. */
  networkProblem(): string | undefined
  /** What the runtime's default handler can do. */
  features(): { recursiveReadOnlyMounts: boolean }
  /** Looks again soon; for changes that should not wait for the next turn. */
  poke(): void
}

export interface NodeAgentOptions {
  client: KubeClient
  cri: CriClient
  settings: KubeletSettings
  machine: Machine
  recorder: EventRecorder
  clock: Clock
  logger: Logger
  runtimeVersion: string
  addresses(): readonly string[]
  serverPort(): number
  /** The node, if an informer has it. */
  live(): Node | undefined
  /** The runtime has become ready, or is no longer. */
  readyChanged(): void
}

const retryMs = 1000
/** So long a runtime may not answer before the node is called not ready; upstream's figure. */
const runtimeGraceMs = 30_000
/** How often a node that is not ready looks again. */
const notReadyMs = 500
const heartbeatFields = ['lastHeartbeatTime'] as const

export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { client, cri, settings, machine, recorder, clock, logger } = options
  const reference = { apiVersion: 'v1', kind: 'Node', name: settings.nodeName, uid: settings.nodeName }
  let runtime: RuntimeView = { version: options.runtimeVersion }
  let known: Node | undefined
  let written: NodeStatus | undefined
  let writtenAt = 0
  let answeredAt = 0
  let timer: Timer | undefined
  let busy = false

  const compute = async (): Promise<NodeStatus> => {
    const ready = notReadyReasons(runtime).length === 0
    let images: Image[] | undefined = []
    try {
      const status = await cri.status({})
      const runs = status.status?.conditions.some((c) => c.type === 'RuntimeReady' && c.status) === true
      if (runs) answeredAt = clock.now()
      // A shim answers for an Engine that is away: that is borne with in the same way.
      if (runs || clock.now() - answeredAt >= runtimeGraceMs) runtime = { version: options.runtimeVersion, status }
      images = (await cri.listImages({})).images
    } catch (error) {
      // A runtime that restarts is away for a moment: its pods run on, and the node need not leave its Services for that.
      if (clock.now() - answeredAt >= runtimeGraceMs) runtime = { version: options.runtimeVersion, error: messageOf(error) }
      else images = undefined
    }
    if (ready !== (notReadyReasons(runtime).length === 0)) options.readyChanged()
    const status = nodeStatus({
      settings, machine, runtime, images: images ?? [], usage: await readUsage(settings.rootDir), addresses: options.addresses(), serverPort: options.serverPort(),
      previous: written ?? known?.status, now: clock.now(),
    })
    return images ? status : { ...status, ...(written?.images ? { images: written.images } : {}) }
  }

  const object = (status: NodeStatus): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: settings.nodeName,
      labels: {
        'beta.kubernetes.io/arch': machine.architecture,
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': machine.architecture,
        'kubernetes.io/hostname': machine.hostname === '' || settings.nodeName !== machine.hostname ? settings.nodeName : machine.hostname,
        'kubernetes.io/os': 'linux',
        ...settings.nodeLabels,
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: { ...(settings.providerId ? { providerID: settings.providerId } : {}), ...(settings.registerWithTaints.length > 0 ? { taints: [...settings.registerWithTaints] } : {}) },
    status,
  })

  const register = async (): Promise<void> => {
    const wanted = object(await compute())
    try {
      known = await client.create(core.nodes, wanted)
      written = known.status ?? wanted.status
      writtenAt = clock.now()
      logger.info('Successfully registered node', { node: settings.nodeName })
      announce(undefined, written ?? {})
      return
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
    known = await client.get(core.nodes, settings.nodeName)
    const labels = wanted.metadata.labels ?? {}
    const current = known.metadata.labels ?? {}
    const annotations = wanted.metadata.annotations ?? {}
    if (Object.entries(labels).some(([k, v]) => current[k] !== v) || Object.entries(annotations).some(([k, v]) => known?.metadata.annotations?.[k] !== v))
      known = await client.patch(core.nodes, settings.nodeName, { type: 'merge', body: { metadata: { labels, annotations } } })
    logger.info('Node was previously registered', { node: settings.nodeName })
    written = known.status
    await report(true)
  }

  const report = async (force: boolean): Promise<void> => {
    const status = await compute()
    const before = written
    const changed = !before || essential(before) !== essential(status)
    if (!force && !changed && clock.now() - writtenAt < settings.nodeStatusReportMs) return
    const answer = await client.patch(core.nodes, settings.nodeName, { type: 'strategic', body: { status: patchOf(status) } }, { subresource: 'status' })
    known = answer
    written = status
    writtenAt = clock.now()
    announce(before, status)
  }

  const announce = (before: NodeStatus | undefined, now: NodeStatus): void => {
    const names: Record<string, Record<string, string>> = {
      Ready: { True: 'NodeReady', False: 'NodeNotReady' },
      MemoryPressure: { True: 'NodeHasInsufficientMemory', False: 'NodeHasSufficientMemory' },
      DiskPressure: { True: 'NodeHasDiskPressure', False: 'NodeHasNoDiskPressure' },
      PIDPressure: { True: 'NodeHasInsufficientPID', False: 'NodeHasSufficientPID' },
    }
    for (const c of now.conditions ?? []) {
      const name = names[c.type]?.[c.status]
      if (name && before?.conditions?.find((b) => b.type === c.type)?.status !== c.status) recorder.event(reference, 'Normal', name, `Node ${settings.nodeName} status is now: ${name}`)
    }
  }

  const loop = (signal: AbortSignal): void => {
    timer?.cancel()
    if (signal.aborted) return
    // A node that comes up shall not wait for its turn to say so.
    timer = clock.setTimeout(() => void turn(signal), notReadyReasons(runtime).length > 0 ? Math.min(notReadyMs, settings.nodeStatusUpdateMs) : settings.nodeStatusUpdateMs)
  }
  const turn = async (signal: AbortSignal): Promise<void> => {
    if (busy) return
    busy = true
    try {
      await report(false)
    } catch (error) {
      if (!signal.aborted) logger.error(error, 'Unable to update node status', { node: settings.nodeName })
    } finally {
      busy = false
      loop(signal)
    }
  }
  let stopping: AbortSignal | undefined

  return {
    start: async (signal) => {
      stopping = signal
      signal.addEventListener('abort', () => timer?.cancel(), { once: true })
      recorder.event(reference, 'Normal', 'Starting', 'Starting kubelet.')
      let delay = 200
      while (!signal.aborted) {
        try {
          if (settings.registerNode) await register()
          else {
            known = await client.get(core.nodes, settings.nodeName)
            written = known.status
            await report(true)
          }
          break
        } catch (error) {
          logger.error(error, 'Unable to register node with API server', { node: settings.nodeName })
          await new Promise<void>((resolve) => clock.setTimeout(resolve, delay))
          delay = Math.min(delay * 2, 7000)
        }
      }
      loop(signal)
    },
    node: () => options.live() ?? known ?? object(written ?? {}),
    networkProblem: () => {
      if (!runtime.status) return 'container runtime status check may not have completed yet'
      const found = runtime.status.status?.conditions.find((c) => c.type === 'NetworkReady')
      return !found || found.status ? undefined : `container runtime network not ready: NetworkReady=false reason:${found.reason} message:${found.message}`
    },
    features: () => {
      const handler = runtime.status?.runtimeHandlers.find((h) => h.name === '')
      return { recursiveReadOnlyMounts: handler?.features?.recursiveReadOnlyMounts === true }
    },
    poke: () => {
      if (!stopping || stopping.aborted || busy) return
      timer?.cancel()
      timer = clock.setTimeout(() => stopping && void turn(stopping), retryMs)
    },
  }
}

/** The status without what changes by itself. */
function essential(status: NodeStatus): string {
  const conditions = (status.conditions ?? []).map((c) => Object.fromEntries(Object.entries(c).filter(([k]) => !(heartbeatFields as readonly string[]).includes(k))))
  return stableJson({ ...status, conditions: conditions.toSorted((a, b) => (String(a.type) < String(b.type) ? -1 : 1)) })
}

/** Addresses and images merge by key in a strategic patch: they are replaced whole. */
function patchOf(status: NodeStatus): Record<string, unknown> {
  return { ...status, addresses: [{ $patch: 'replace' }, ...(status.addresses ?? [])] }
}
