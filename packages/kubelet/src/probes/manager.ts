import type { Container, ContainerStatus, Pod, Probe } from '@berth/api/types/core/v1'
import type { CriClient } from '@berth/cri'
import type { Clock, EventRecorder, Logger, Timer } from '@berth/kube'
import { messageOf } from '../errors.ts'
import type { ProbeView } from '../pods/container-status.ts'
import { allContainers, isSidecar, restartsAfterExit } from '../pods/containers.ts'
import type { ProbeResults } from '../pods/plan.ts'
import { type ContainerRecord, latestContainer, type PodRuntime } from '../runtime/records.ts'
import { containerReference } from '../workers/references.ts'
import type { Outcome } from './outcome.ts'
import { runProbe } from './run.ts'
import { initialState, nextState, type ProbeKind, type ProbeState } from './verdict.ts'

const kinds: readonly { kind: ProbeKind; field: 'startupProbe' | 'readinessProbe' | 'livenessProbe'; title: string }[] = [
  { kind: 'startup', field: 'startupProbe', title: 'Startup' },
  { kind: 'readiness', field: 'readinessProbe', title: 'Readiness' },
  { kind: 'liveness', field: 'livenessProbe', title: 'Liveness' },
]

const attempts = 3
const earlyMs = 1000
const firstProbeMs = 200

interface Prober {
  kind: ProbeKind
  title: string
  probe: Probe
  container: Container
  containerId: string | undefined
  state: ProbeState
  timer: Timer | undefined
  running: boolean
}

interface PodProbes { pod: Pod; runtime: PodRuntime; podIp: string; probers: Map<string, Prober>; stopping: boolean }

/** The probes of this node's pods. Results are kept by container ID: a new instance begins anew. */
export interface ProbeManager extends ProbeResults, ProbeView {
  /** Tells what the pod and its containers are now; starts probes of containers that are new here. */
  sync(pod: Pod, runtime: PodRuntime, podIps: readonly string[]): void
  /** In a pod that ends only readiness is still asked. */
  stopLivenessAndStartup(uid: string): void
  remove(uid: string): void
}

export interface ProbeManagerOptions {
  cri: CriClient
  recorder: EventRecorder
  clock: Clock
  logger: Logger
  /** A result changed: the pod has to be looked at. */
  changed(uid: string): void
  counted(kind: ProbeKind, result: string, pod: Pod, container: string): void
}

export function createProbeManager(options: ProbeManagerOptions): ProbeManager {
  const { cri, recorder, clock, logger } = options
  const pods = new Map<string, PodProbes>()
  const results: Record<ProbeKind, Map<string, ProbeState['result']>> = { startup: new Map(), readiness: new Map(), liveness: new Map() }
  const startedAt = clock.now()

  const set = (entry: PodProbes, prober: Prober, state: ProbeState): void => {
    const before = prober.state.result
    prober.state = state
    if (prober.containerId === undefined) return
    const known = results[prober.kind].get(prober.containerId)
    results[prober.kind].set(prober.containerId, state.result)
    if (known !== state.result || before !== state.result) options.changed(entry.pod.metadata.uid ?? '')
  }

  const isStarted = (prober: Prober): boolean => !prober.container.startupProbe || results.startup.get(prober.containerId ?? '') === 'success'

  /** One turn of a prober. Gives false when it has nothing to do ever again. */
  const turn = async (entry: PodProbes, prober: Prober): Promise<boolean> => {
    const record = latestContainer(entry.runtime, prober.container.name)
    if (!record) return true
    if (record.id !== prober.containerId) adopt(entry, prober, record)
    if (entry.stopping && prober.kind !== 'readiness') return false
    if (prober.state.onHold) return true
    if (record.state !== 'running') {
      if (record.state === 'exited') {
        set(entry, prober, { ...prober.state, result: 'failure' })
        return isSidecar(prober.container) || restartsAfterExit(entry.pod, prober.container, record.exitCode)
      }
      return true
    }
    if (clock.now() - record.startedAt < (prober.probe.initialDelaySeconds ?? 0) * 1000) return true
    if (isStarted(prober)) {
      if (prober.kind === 'startup') return true
    } else if (prober.kind !== 'startup') return true
    const early = isEarly(prober, record)
    const outcome = await ask(entry, prober, record, early)
    if (!outcome || record.id !== prober.containerId) return true
    // A container that is just starting is asked more often than its period says; that it does not answer yet counts for nothing.
    if (early && outcome.result === 'failure') return true
    options.counted(prober.kind, outcome.result === 'warning' ? 'successful' : outcome.result === 'success' ? 'successful' : 'failed', entry.pod, prober.container.name)
    set(entry, prober, nextState(prober.kind, prober.probe, prober.state, outcome.result === 'failure' ? 'failure' : 'success'))
    return true
  }

  /** In its first period, and not yet successful: readiness and startup probes then look every second, so that nobody waits a whole period for a container that takes half of one. */
  const isEarly = (prober: Prober, record: ContainerRecord | undefined): boolean =>
    record !== undefined && prober.kind !== 'liveness' && prober.state.last === undefined && clock.now() - record.startedAt < ((prober.probe.initialDelaySeconds ?? 0) + (prober.probe.periodSeconds ?? 10)) * 1000

  const ask = async (entry: PodProbes, prober: Prober, record: ContainerRecord, quiet: boolean): Promise<Outcome | undefined> => {
    const { pod } = entry
    const event = (reason: string, message: string): void => recorder.event(containerReference(pod, prober.container.name), 'Warning', reason, message)
    let error: unknown
    for (let i = 0; i < attempts; i++) {
      try {
        const outcome = await runProbe(cri, prober.probe, { pod, container: prober.container, containerId: record.id, podIp: entry.podIp })
        if (outcome.result === 'failure' && !quiet) event('Unhealthy', `${prober.title} probe failed: ${outcome.output}`)
        else if (outcome.result === 'warning') event('ProbeWarning', `${prober.title} probe warning: ${outcome.output}`)
        return outcome
      } catch (caught) {
        error = caught
      }
    }
    logger.v(1).info('Probe errored', { probeType: prober.title, pod: pod.metadata.name, container: prober.container.name, err: messageOf(error) })
    event('Unhealthy', `${prober.title} probe errored and resulted in unknown state: ${messageOf(error)}`)
    return undefined
  }

  const adopt = (entry: PodProbes, prober: Prober, record: ContainerRecord): void => {
    if (prober.containerId !== undefined) results[prober.kind].delete(prober.containerId)
    prober.containerId = record.id
    prober.state = initialState(prober.kind)
    // After a restart of the kubelet the API still knows what this very instance was: readiness must not flap because we were away.
    const known = statusOf(entry.pod, prober.container.name)
    if (record.startedAt < startedAt && known?.containerID?.endsWith(`//${record.id}`)) {
      if (prober.kind === 'readiness' && known.ready) prober.state.result = 'success'
      if (prober.kind === 'startup' && known.started) prober.state.result = 'success'
    }
    results[prober.kind].set(record.id, prober.state.result)
  }

  const schedule = (uid: string, prober: Prober, delayMs: number): void => {
    prober.timer?.cancel()
    prober.timer = clock.setTimeout(() => void tick(uid, prober), delayMs)
  }

  const tick = async (uid: string, prober: Prober): Promise<void> => {
    const entry = pods.get(uid)
    if (!entry || prober.running) return
    prober.running = true
    let more = true
    try {
      more = await turn(entry, prober)
    } catch (error) {
      logger.error(error, 'Probe worker failed', { pod: entry.pod.metadata.name, container: prober.container.name })
    } finally {
      prober.running = false
    }
    const periodMs = (prober.probe.periodSeconds ?? 10) * 1000
    if (more && pods.get(uid) === entry) schedule(uid, prober, isEarly(prober, latestContainer(entry.runtime, prober.container.name)) ? Math.min(earlyMs, periodMs) : periodMs)
  }

  const statusOf = (pod: Pod, name: string): ContainerStatus | undefined =>
    [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find((s) => s.name === name)

  return {
    startup: (id) => results.startup.get(id),
    liveness: (id) => results.liveness.get(id),
    started: (id, c) => !c.startupProbe || results.startup.get(id) === 'success',
    ready: (id, c) => !c.readinessProbe || results.readiness.get(id) === 'success',
    sync: (pod, runtime, podIps) => {
      const uid = pod.metadata.uid ?? ''
      const entry = pods.get(uid) ?? { pod, runtime, podIp: '', probers: new Map<string, Prober>(), stopping: false }
      pods.set(uid, Object.assign(entry, { pod, runtime, podIp: podIps[0] ?? '' }))
      for (const { kind: where, spec } of allContainers(pod)) {
        if (where === 'ephemeral' || (where === 'init' && !isSidecar(spec))) continue
        for (const { kind, field, title } of kinds) {
          const probe = spec[field]
          if (!probe) continue
          const key = `${spec.name}/${kind}`
          const record = latestContainer(runtime, spec.name)
          let prober = entry.probers.get(key)
          if (!prober) {
            prober = { kind, title, probe, container: spec, containerId: undefined, state: initialState(kind), timer: undefined, running: false }
            entry.probers.set(key, prober)
          }
          if (record && record.id !== prober.containerId) {
            adopt(entry, prober, record)
            const initialMs = (probe.initialDelaySeconds ?? 0) * 1000
            // Whether a container lives is asked after a period at the earliest: upstream's ticks began before it was there.
            const firstMs = kind === 'liveness' ? Math.max(initialMs, (probe.periodSeconds ?? 10) * 1000) : Math.max(initialMs, firstProbeMs)
            // After a restart of the kubelet a node's probes shall not all be made in the same moment.
            const spreadMs = record.startedAt < startedAt ? Math.random() * (probe.periodSeconds ?? 10) * 1000 : 0
            schedule(uid, prober, Math.max(spreadMs, record.startedAt + firstMs - clock.now()))
          }
        }
      }
    },
    stopLivenessAndStartup: (uid) => {
      const entry = pods.get(uid)
      if (!entry) return
      entry.stopping = true
      for (const prober of entry.probers.values()) if (prober.kind !== 'readiness') prober.timer?.cancel()
    },
    remove: (uid) => {
      for (const prober of pods.get(uid)?.probers.values() ?? []) {
        prober.timer?.cancel()
        if (prober.containerId !== undefined) results[prober.kind].delete(prober.containerId)
      }
      pods.delete(uid)
    },
  }
}
