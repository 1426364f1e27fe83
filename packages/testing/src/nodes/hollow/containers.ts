import { createHash } from 'node:crypto'
import type { Container, ContainerState, ContainerStateTerminated, ContainerStatus, EphemeralContainer, Pod } from '@berth/api/types/core/v1'
import { fromTime, isSidecar, restartsAfterExit, toTime } from '@berth/kubelet/rules'
import type { Instructions } from './instructions.ts'

/** What a container's next status is, and in how many milliseconds there is another; Infinity: only when the pod changes. */
export interface ContainerStep { readonly status: ContainerStatus, readonly againMs: number }

export interface ContainerScene {
  readonly pod: Pod
  readonly said: Instructions
  readonly now: number
  /** When this node began to run a container, exactly; what the API keeps is in whole seconds. */
  readonly began: (containerId: string) => number | undefined
}

/** SIGTERM, SIGKILL. */
export const terminated = 143
export const killed = 137
const firstBackOffMs = 10_000
const longestBackOffMs = 300_000

/** The ID of a container's n-th run: the same whenever it is asked for. */
export function containerId(pod: Pod, name: string, run: number): string {
  return `hollow://${createHash('sha256').update(`${pod.metadata.uid ?? ''}/${name}/${run}`).digest('hex')}`
}

/** A container of the pod's main ones, as it goes on: waits, runs, ends as it was told to, and starts again where restartPolicy says so. */
export function mainStep(scene: ContainerScene, container: Container, before: ContainerStatus | undefined): ContainerStep {
  const { said, now, pod } = scene
  if (said.waiting !== undefined) return { status: statusOf(pod, container, before, { waiting: { reason: said.waiting } }, false), againMs: Infinity }
  const ended = before?.state?.terminated
  const backedOff = before?.state?.waiting?.reason === 'CrashLoopBackOff' ? before.lastState?.terminated : undefined
  if (ended ?? backedOff) return afterEnd(scene, container, before as ContainerStatus, (ended ?? backedOff) as ContainerStateTerminated)
  const running = before?.state?.running
  if (!running) return started(scene, container, before, before?.restartCount ?? 0)
  if (said.exitCode === undefined) return { status: statusOf(pod, container, before, { running }, said.ready), againMs: Infinity }
  const left = (scene.began(before?.containerID ?? '') ?? fromTime(running.startedAt)) + said.runForMs - now
  if (left > 0) return { status: statusOf(pod, container, before, { running }, said.ready), againMs: left }
  return { status: endedStatus(pod, container, before as ContainerStatus, said.exitCode, now), againMs: restartsAfterExit(pod, container, said.exitCode) ? 0 : Infinity }
}

function started({ pod, said, now }: ContainerScene, container: Container, before: ContainerStatus | undefined, restartCount: number): ContainerStep {
  const next = statusOf(pod, container, { ...before, restartCount } as ContainerStatus, { running: { startedAt: toTime(now) } }, said.ready)
  return { status: { ...next, containerID: containerId(pod, container.name, restartCount) }, againMs: said.exitCode === undefined ? Infinity : said.runForMs }
}

/** The kubelet starts a container that ended at once the first time, then after 10 s, 20 s, ... 5 min. */
function afterEnd(scene: ContainerScene, container: Container, before: ContainerStatus, end: ContainerStateTerminated): ContainerStep {
  const { pod, now } = scene
  if (!restartsAfterExit(pod, container, end.exitCode)) return { status: before, againMs: Infinity }
  const again = (): ContainerStep => started(scene, container, { ...before, lastState: { terminated: end } }, before.restartCount + 1)
  if (before.restartCount === 0) return again()
  const backOff = Math.min(firstBackOffMs * 2 ** (before.restartCount - 1), longestBackOffMs)
  const left = fromTime(end.finishedAt) + backOff - now
  if (left <= 0) return again()
  const message = `back-off ${backOff / 1000}s restarting failed container=${container.name} pod=${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`
  return { status: { ...statusOf(pod, container, before, { waiting: { reason: 'CrashLoopBackOff', message } }, false), lastState: { terminated: end } }, againMs: left }
}

/** An init container: a sidecar runs as long as the pod does, any other one has ended well before anybody looks. */
export function initStep({ pod, now }: ContainerScene, container: Container, before: ContainerStatus | undefined): ContainerStatus {
  if (before?.state?.terminated && !isSidecar(container)) return before
  const containerID = containerId(pod, container.name, 0)
  const at = toTime(now)
  if (isSidecar(container)) return { ...statusOf(pod, container, before, { running: before?.state?.running ?? { startedAt: at } }, true), containerID }
  return { ...statusOf(pod, container, before, { terminated: { exitCode: 0, reason: 'Completed', startedAt: at, finishedAt: at, containerID } }, true), containerID, started: false }
}

/** An ephemeral container runs as long as the pod does. */
export function ephemeralStep({ pod, now }: ContainerScene, container: EphemeralContainer, before: ContainerStatus | undefined): ContainerStatus {
  return { ...statusOf(pod, container, before, { running: before?.state?.running ?? { startedAt: toTime(now) } }, false), containerID: containerId(pod, container.name, 0) }
}

/** A container that ended with a code; what has not run or has ended already stays as it is. */
export function stoppedStatus(pod: Pod, container: { name: string, image?: string }, before: ContainerStatus | undefined, exitCode: number, now: number): ContainerStatus {
  if (before?.state?.terminated) return before
  if (before?.state?.running) return endedStatus(pod, container, before, exitCode, now)
  const last = before?.lastState?.terminated
  return statusOf(pod, container, before, { terminated: last ?? { exitCode: killed, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated', finishedAt: toTime(now), startedAt: toTime(now) } }, false)
}

function endedStatus(pod: Pod, container: { name: string, image?: string }, before: ContainerStatus, exitCode: number, now: number): ContainerStatus {
  const { containerID = containerId(pod, container.name, before.restartCount) } = before
  return statusOf(pod, container, before, { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: before.state?.running?.startedAt ?? toTime(now), finishedAt: toTime(now), containerID } }, false)
}

function statusOf(pod: Pod, container: { name: string, image?: string, resources?: ContainerStatus['resources'] }, before: ContainerStatus | undefined, state: ContainerState, ready: boolean): ContainerStatus {
  const image = container.image ?? ''
  const spec = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === container.name)
  const granted = state.running && spec?.resources && Object.keys(spec.resources).length > 0 ? spec.resources : undefined
  return {
    name: container.name, image, imageID: state.waiting && before?.imageID === undefined ? '' : before?.imageID || `hollow/${image}`, restartCount: before?.restartCount ?? 0,
    ready, started: state.running !== undefined, state, lastState: before?.lastState ?? {},
    ...(before?.containerID !== undefined && { containerID: before.containerID }),
    ...(granted && { resources: granted, ...(granted.requests && { allocatedResources: granted.requests }) }),
  }
}
