import type { Container, ContainerState, ContainerStatus, Pod } from '@berth/api/types/core/v1'
import { type ContainerRecord, type PodRuntime, restartCountOf } from '../runtime/records.ts'
import { type ContainerKind, isSidecar, shouldStart } from './containers.ts'
import { toTime } from './time.ts'

/** Why a container that should run does not, by container name; kept by the worker between its passes. */
export type StartFailures = ReadonlyMap<string, { reason: string; message: string }>

/** What the probes say about one instance. */
export interface ProbeView {
  started(containerId: string, c: Container): boolean
  ready(containerId: string, c: Container): boolean
}

export interface ContainerStatusInput {
  pod: Pod
  runtime: PodRuntime
  kind: ContainerKind
  containers: readonly Container[]
  /** What was last written to the API. */
  previous: readonly ContainerStatus[] | undefined
  failures: StartFailures
  probes: ProbeView
  /** `docker`, `containerd`: the scheme of container IDs. */
  runtimeName: string
}

const lostMessage = 'The container could not be located when the pod was deleted.  The container used to be Running'

function stateOf(record: ContainerRecord, runtimeName: string): ContainerState {
  if (record.state === 'running') return { running: { startedAt: toTime(record.startedAt) } }
  if (record.state === 'exited') {
    return {
      terminated: {
        exitCode: record.exitCode,
        reason: record.reason || (record.exitCode === 0 ? 'Completed' : 'Error'),
        ...(record.message ? { message: record.message } : {}),
        startedAt: toTime(record.startedAt),
        finishedAt: toTime(record.finishedAt),
        containerID: `${runtimeName}://${record.id}`,
      },
    }
  }
  return { waiting: {} }
}

/**
 * The statuses of one list of the pod's containers, as upstream composes them: what the runtime has, with what the API last had as the
 * default for containers the runtime has not (yet, or no longer), and with the reason of a start that failed.
 */
export function containerStatuses(input: ContainerStatusInput): ContainerStatus[] {
  const { pod, kind, runtimeName } = input
  const hasInit = (pod.spec.initContainers ?? []).length > 0
  const waitingReason = kind === 'init' || hasInit ? 'PodInitializing' : 'ContainerCreating'
  const result = input.containers.map((c) => one(input, c, waitingReason, runtimeName))
  // Clients expect a stable order: init containers as they run, the others by name.
  return kind === 'init' ? result : result.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function one(input: ContainerStatusInput, c: Container, waitingReason: string, runtimeName: string): ContainerStatus {
  const { pod, runtime, kind, failures } = input
  const old = input.previous?.find((s) => s.name === c.name)
  const instances = runtime.containers.filter((r) => r.name === c.name)
  const newest = instances[0]
  let status: ContainerStatus
  if (newest) status = fromRecord(input, c, newest, instances[1], old)
  else if (old?.state?.terminated) status = { ...old }
  else {
    status = {
      name: c.name, image: c.image ?? '', imageID: '', ready: false, restartCount: old?.restartCount ?? 0, lastState: old?.lastState ?? {},
      state: { waiting: { reason: waitingReason } },
    }
    if (old?.state?.running && !old.lastState?.terminated) {
      status.lastState = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: lostMessage } }
      if (!pod.metadata.deletionTimestamp) status.restartCount += 1
    }
    status.started = false
  }
  const finishedInit = kind === 'init' && !isSidecar(c) && status.state?.terminated?.exitCode === 0
  const failure = failures.get(c.name)
  if (failure && !finishedInit && shouldStart(pod, c, newest)) {
    if (status.state?.terminated) status.lastState = { terminated: status.state.terminated }
    status.state = { waiting: { reason: failure.reason, ...(failure.message ? { message: failure.message } : {}) } }
    status.started = false
    status.ready = false
  }
  const mounts = (c.volumeMounts ?? []).map((m) => ({
    name: m.name, mountPath: m.mountPath, ...(m.readOnly ? { readOnly: true, recursiveReadOnly: m.recursiveReadOnly ?? ('Disabled' as const) } : {}),
  }))
  if (mounts.length > 0) status.volumeMounts = mounts
  void runtimeName
  return status
}

function fromRecord(input: ContainerStatusInput, c: Container, newest: ContainerRecord, before: ContainerRecord | undefined, old: ContainerStatus | undefined): ContainerStatus {
  const { kind, probes, runtimeName } = input
  const state = stateOf(newest, runtimeName)
  if (state.waiting) state.waiting.reason = newest.state === 'created' ? 'ContainerCreating' : 'ContainerStatusUnknown'
  const running = newest.state === 'running'
  const started = running && (kind === 'init' && !isSidecar(c) ? true : probes.started(newest.id, c))
  const exitedWell = newest.state === 'exited' && newest.exitCode === 0
  const status: ContainerStatus = {
    name: c.name,
    image: newest.image || c.image || '',
    imageID: newest.imageRef,
    containerID: `${runtimeName}://${newest.id}`,
    ready: kind === 'init' && !isSidecar(c) ? exitedWell : kind === 'ephemeral' ? false : running && started && probes.ready(newest.id, c),
    restartCount: restartCountOf(newest),
    started,
    state,
    lastState: before?.state === 'exited' ? stateOf(before, runtimeName) : lastStateFromApi(newest, old),
  }
  const requests = c.resources?.requests
  if (kind !== 'ephemeral' && (requests || c.resources?.limits)) {
    if (requests) status.allocatedResources = requests
    status.resources = { ...(c.resources?.limits ? { limits: c.resources.limits } : {}), ...(requests ? { requests } : {}) }
  }
  if (kind !== 'ephemeral') status.resources ??= {}
  if (newest.user && running)
    status.user = { linux: { uid: newest.user.uid, gid: newest.user.gid, ...(newest.user.supplementalGroups.length > 0 ? { supplementalGroups: newest.user.supplementalGroups } : {}) } }
  if (c.lifecycle?.stopSignal) status.stopSignal = c.lifecycle.stopSignal
  return status
}

/** The instance before this one may have been removed from the runtime; the API still remembers it. */
function lastStateFromApi(newest: ContainerRecord, old: ContainerStatus | undefined): ContainerState {
  if (!old) return {}
  if (old.state?.terminated && old.restartCount < restartCountOf(newest)) return { terminated: old.state.terminated }
  return old.lastState ?? {}
}
