// What a hollow node does with a pod: the kubelet's rules for a status, with containers that only say how they are. Pure.
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '@berth/api/types/core/v1'
import { conditionOf, containersReadyCondition, fromTime, initializedCondition, isSidecar, podPhase, readyCondition, toTime } from '@berth/kubelet/rules'
import { computePodQos } from '@berth/pod-rules'
import { ephemeralStep, initStep, killed, mainStep, stoppedStatus, terminated, type ContainerScene } from './containers.ts'

/** A pod on a hollow node, now. */
export interface PodScene extends ContainerScene {
  readonly hostIp: string
  /** The address that this node gave to the pod; a pod of the host's network has the host's. */
  readonly podIp: string
}

/** What to do: write a status, delete the pod for good, look again after so many milliseconds (Infinity: when it changes). */
export interface PodStep {
  readonly status?: PodStatus
  readonly remove: boolean
  readonly againMs: number
}

const isFinal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** What comes next for a pod that is bound to the node. */
export function podStep(scene: PodScene): PodStep {
  const { pod } = scene
  if (pod.metadata.deletionTimestamp !== undefined) return deletion(scene)
  if (isFinal(pod)) return { remove: false, againMs: Infinity }
  const deadline = deadlineLeft(scene)
  if (deadline <= 0) return { ...stop(scene, killed, { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }), remove: false }
  const step = run(scene)
  return { ...step, againMs: Math.min(step.againMs, deadline) }
}

function deadlineLeft({ pod, now }: PodScene): number {
  const { activeDeadlineSeconds: seconds } = pod.spec
  return seconds === undefined || pod.status?.startTime === undefined ? Infinity : fromTime(pod.status.startTime) + seconds * 1000 - now
}

/** A pod that is deleted goes on until its containers have stopped (preStop's sleep, stop-after), at most for its grace period. */
function deletion(scene: PodScene): PodStep {
  const { pod, said, now } = scene
  const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000
  const end = fromTime(pod.metadata.deletionTimestamp)
  const preStopMs = Math.max(0, ...pod.spec.containers.map((container) => (container.lifecycle?.preStop?.sleep?.seconds ?? 0) * 1000))
  const wanted = said.stopAfterMs + preStopMs
  const left = Math.min(end, end - graceMs + wanted) - now
  const runs = !isFinal(pod) && [...(pod.status?.containerStatuses ?? [])].some(({ state }) => state?.running)
  if (runs && wanted > 0 && left > 0) return { remove: false, againMs: left }
  if (isFinal(pod)) return { remove: true, againMs: Infinity }
  return { ...stop(scene, wanted > graceMs ? killed : terminated), remove: true }
}

/** Every container has ended. */
function stop(scene: PodScene, exitCode: number, said: Pick<PodStatus, 'phase' | 'reason' | 'message'> = {}): Omit<PodStep, 'remove'> {
  const { pod, now } = scene
  const before = pod.status ?? {}
  const containerStatuses = pod.spec.containers.map((container) => stoppedStatus(pod, container, named(before.containerStatuses, container.name), exitCode, now))
  const initContainerStatuses = (pod.spec.initContainers ?? []).map((container) => stoppedStatus(pod, container, named(before.initContainerStatuses, container.name), 0, now))
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map((container) => stoppedStatus(pod, container, named(before.ephemeralContainerStatuses, container.name), exitCode, now))
  const phase = said.phase ?? podPhase(pod, containerStatuses, initContainerStatuses, true, true)
  return { status: { ...whole(scene, { containerStatuses, initContainerStatuses, ephemeral }, phase), ...said }, againMs: Infinity }
}

function run(scene: PodScene): PodStep {
  const { pod, said, now } = scene
  const before = pod.status ?? {}
  const begin = fromTime(before.conditions?.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime ?? pod.metadata.creationTimestamp)
  const pulling = named(before.containerStatuses, pod.spec.containers[0]?.name ?? '')?.state?.running === undefined ? begin + said.startAfterMs - now : 0
  const creating = said.startAfterMs > 0 && pulling > 0
  const initContainerStatuses = creating ? [] : (pod.spec.initContainers ?? []).map((container) => initStep(scene, container, named(before.initContainerStatuses, container.name)))
  const steps = pod.spec.containers.map((container) => (creating
    ? { status: { name: container.name, image: container.image ?? '', imageID: '', restartCount: 0, ready: false, started: false, state: { waiting: { reason: 'ContainerCreating' } }, lastState: {} }, againMs: pulling }
    : mainStep(scene, container, named(before.containerStatuses, container.name))))
  const containerStatuses = steps.map(({ status }) => status)
  const ephemeral = creating ? [] : (pod.spec.ephemeralContainers ?? []).map((container) => ephemeralStep(scene, container, named(before.ephemeralContainerStatuses, container.name)))
  let phase = podPhase(pod, containerStatuses, initContainerStatuses, false, containerStatuses.some(({ state, lastState }) => state?.running ?? state?.terminated ?? lastState?.terminated))
  // Sidecars end when the main containers have ended for good.
  const over = containerStatuses.every(({ state }) => state?.terminated) && steps.every(({ againMs }) => againMs === Infinity)
  const inits = over ? initContainerStatuses.map((status) => (status.state?.running ? stoppedStatus(pod, status, status, 0, now) : status)) : initContainerStatuses
  if (over) phase = podPhase(pod, containerStatuses, inits, false, true)
  return { status: whole(scene, { containerStatuses, initContainerStatuses: inits, ephemeral }, phase), remove: false, againMs: Math.min(Infinity, ...steps.map(({ againMs }) => againMs)) }
}

function named(statuses: readonly ContainerStatus[] | undefined, name: string): ContainerStatus | undefined {
  return statuses?.find((status) => status.name === name)
}

function whole(scene: PodScene, containers: { containerStatuses: ContainerStatus[], initContainerStatuses: ContainerStatus[], ephemeral: ContainerStatus[] }, phase: PodStatus['phase'] & string): PodStatus {
  const { pod, hostIp, podIp, now, said } = scene
  const before = pod.status ?? {}
  const { containerStatuses, initContainerStatuses, ephemeral } = containers
  const previous = before.conditions ?? []
  const at = toTime(now)
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  const ready = containersReadyCondition(pod, [...containerStatuses, ...initContainerStatuses.filter(({ name }) => sidecars.has(name))], phase)
  const condition = (type: string, verdict: Parameters<typeof conditionOf>[1]): PodCondition => conditionOf(type, verdict, previous, at, pod.metadata.generation)
  const up = phase !== 'Succeeded' && phase !== 'Failed' && (said.startAfterMs === 0 || containerStatuses.some(({ state }) => state?.running))
  const ip = pod.spec.hostNetwork === true ? hostIp : podIp
  return {
    phase,
    conditions: [
      condition('PodReadyToStartContainers', { status: up ? 'True' : 'False' }),
      condition('Initialized', initializedCondition(pod, initContainerStatuses, containerStatuses, phase)),
      condition('Ready', readyCondition(pod, ready, previous)),
      condition('ContainersReady', ready),
      condition('PodScheduled', { status: 'True' }),
    ],
    containerStatuses,
    ...(initContainerStatuses.length > 0 && { initContainerStatuses }), ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    hostIP: hostIp, hostIPs: [{ ip: hostIp }],
    ...(before.podIP !== undefined ? { podIP: before.podIP, podIPs: before.podIPs ?? [{ ip: before.podIP }] } : { podIP: ip, podIPs: [{ ip }] }),
    startTime: before.startTime ?? at, qosClass: before.qosClass ?? computePodQos(pod),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  }
}
