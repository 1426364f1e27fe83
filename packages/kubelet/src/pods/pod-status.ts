import type { ContainerStatus, Pod, PodCondition, PodStatus } from '@berth/api/types/core/v1'
import type { PodRuntime } from '../runtime/records.ts'
import { conditionOf, containersReadyCondition, initializedCondition, readyCondition } from './conditions.ts'
import { containerStatuses, type ProbeView, type StartFailures } from './container-status.ts'
import { isSidecar } from './containers.ts'
import { podPhase } from './phase.ts'
import { hasAnyRegularContainer, sandboxNeed } from './plan.ts'
import { computePodQos } from '@berth/pod-rules'
import { toTime } from './time.ts'

export interface StatusInput {
  pod: Pod
  runtime: PodRuntime
  /** What was last decided or written; terminal phases, reasons and transition times carry over from it. */
  previous: PodStatus
  failures: StartFailures
  probes: ProbeView
  runtimeName: string
  hostIps: readonly string[]
  now: number
  /** The pod has been stopped for good. */
  terminal: boolean
  /** Set when the kubelet itself ends the pod (deadline, eviction). */
  ended?: { reason: string; message: string }
}

/** Condition types that the kubelet owns; every other one in the status is somebody else's and is kept. */
export const ownedConditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'] as const

/**
 * The status of a pod as upstream's kubelet writes it, from the runtime and the probes. Pure; a call with equal input gives an equal
 * status, so that comparing it with the last one tells whether the API has to hear of it.
 */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, runtime, previous, failures, probes, runtimeName } = input
  const of = (kind: 'init' | 'container' | 'ephemeral', old: readonly ContainerStatus[] | undefined): ContainerStatus[] =>
    containerStatuses({
      pod, runtime, kind, previous: old, failures, probes, runtimeName,
      containers: (kind === 'init' ? pod.spec.initContainers : kind === 'container' ? pod.spec.containers : pod.spec.ephemeralContainers) ?? [],
    })
  const initStatuses = of('init', previous.initContainerStatuses)
  const statuses = of('container', previous.containerStatuses)
  const ephemeral = of('ephemeral', previous.ephemeralContainerStatuses)
  const started = hasAnyRegularContainer(pod, runtime) || statuses.some((s) => s.state?.running ?? s.state?.terminated ?? s.lastState?.terminated)
  if (input.terminal) for (const s of [...initStatuses, ...statuses, ...ephemeral]) endStatus(s)

  let phase = podPhase(pod, statuses, initStatuses, input.terminal, started)
  if (input.ended) phase = 'Failed'
  // A pod that has ended stays ended.
  if (phase !== 'Failed' && phase !== 'Succeeded' && (previous.phase === 'Failed' || previous.phase === 'Succeeded')) phase = previous.phase
  const reason = input.ended?.reason ?? previous.reason
  const message = input.ended?.message ?? previous.message
  const ips = podIps(input)
  const status: PodStatus = {
    phase,
    conditions: conditions(input, statuses, initStatuses, phase),
    qosClass: computePodQos(pod),
    startTime: previous.startTime ?? toTime(input.now),
    containerStatuses: statuses,
    ...(input.hostIps[0] === undefined ? {} : { hostIP: input.hostIps[0], hostIPs: input.hostIps.map((ip) => ({ ip })) }),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(initStatuses.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
  return status
}

/** A pod of the host's network has the node's addresses; others have what the sandbox got, and keep it while the sandbox is gone. */
function podIps(input: StatusInput): string[] {
  if (input.pod.spec.hostNetwork) return [...input.hostIps]
  const fromSandbox = input.runtime.sandboxes.find((s) => s.ready)?.ips ?? []
  if (fromSandbox.length > 0) return fromSandbox
  const running = input.runtime.containers.some((c) => c.state === 'running')
  if (!running && !input.terminal && input.previous.phase !== 'Running') return []
  return (input.previous.podIPs ?? []).map((p) => p.ip)
}

function conditions(input: StatusInput, statuses: ContainerStatus[], initStatuses: ContainerStatus[], phase: PodStatus['phase'] & string): PodCondition[] {
  const { pod, runtime, previous } = input
  const now = toTime(input.now)
  const generation = pod.metadata.generation
  const before = previous.conditions ?? []
  const sandboxReady = !sandboxNeed(pod, runtime).create
  const ready = containersReadyCondition(pod, [...statuses, ...initStatuses.filter((s) => (pod.spec.initContainers ?? []).some((c) => c.name === s.name && isSidecar(c)))], phase)
  const others = before.filter((c) => !(ownedConditions as readonly string[]).includes(c.type))
  const make = (type: string, verdict: Parameters<typeof conditionOf>[1]): PodCondition => conditionOf(type, verdict, before, now, generation)
  if (!others.some((c) => c.type === 'PodScheduled')) others.push(make('PodScheduled', { status: 'True' }))
  return [
    make('PodReadyToStartContainers', { status: sandboxReady ? 'True' : 'False' }),
    make('Initialized', initializedCondition(pod, initStatuses, statuses, phase)),
    make('Ready', readyCondition(pod, ready, others)),
    make('ContainersReady', ready),
    ...others,
  ]
}

/** In a pod that is over nothing waits or runs any more, even where the runtime has lost the container. */
function endStatus(status: ContainerStatus): void {
  if (status.state?.terminated) return
  if (status.state?.waiting && !status.containerID && !status.state.waiting.reason?.includes('Unknown') && status.restartCount === 0 && !status.lastState?.terminated) {
    status.ready = false
    status.started = false
    status.state = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' } }
    return
  }
  status.ready = false
  status.started = false
  status.state = status.lastState?.terminated
    ? { terminated: status.lastState.terminated }
    : { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' } }
}
