import type { ContainerStatus, Pod, PodCondition, PodPhase } from '@berth/api/types/core/v1'
import { isSidecar } from './containers.ts'

type Verdict = Pick<PodCondition, 'status'> & { reason?: string; message?: string }

const ok: Verdict = { status: 'True' }
const list = (names: readonly string[]): string => `[${names.join(' ')}]`

/** Initialized: every init container is done, every sidecar started. */
export function initializedCondition(pod: Pod, initStatuses: readonly ContainerStatus[], statuses: readonly ContainerStatus[], phase: PodPhase): Verdict {
  const inits = pod.spec.initContainers ?? []
  const unknown: string[] = []
  const incomplete: string[] = []
  for (const c of inits) {
    const status = initStatuses.find((s) => s.name === c.name)
    if (!status) unknown.push(c.name)
    else if (isSidecar(c) ? !status.started : !status.ready) incomplete.push(c.name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' }
  // Once a regular container has run, initialization is over whatever a sidecar does now.
  if (inits.some(isSidecar) && statuses.some((s) => s.state?.running || s.state?.terminated || s.lastState?.terminated)) return ok
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${list(incomplete)}`] : []),
  ]
  return messages.length === 0 ? ok : { status: 'False', reason: 'ContainersNotInitialized', message: messages.join(', ') }
}

/** ContainersReady: every regular container and every sidecar is ready. */
export function containersReadyCondition(pod: Pod, statuses: readonly ContainerStatus[], phase: PodPhase): Verdict {
  const unknown: string[] = []
  const unready: string[] = []
  for (const c of [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]) {
    const status = statuses.find((s) => s.name === c.name)
    if (!status) unknown.push(c.name)
    else if (!status.ready) unready.push(c.name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${list(unready)}`] : []),
  ]
  return messages.length === 0 ? ok : { status: 'False', reason: 'ContainersNotReady', message: messages.join(', ') }
}

/** Ready: the containers are ready and every readiness gate is True. */
export function readyCondition(pod: Pod, containersReady: Verdict, conditions: readonly PodCondition[]): Verdict {
  if (containersReady.status !== 'True') return containersReady
  const messages: string[] = []
  for (const gate of pod.spec.readinessGates ?? []) {
    const found = conditions.find((c) => c.type === gate.conditionType)
    if (!found) messages.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`)
    else if (found.status !== 'True') messages.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${found.status}`)
  }
  return messages.length === 0 ? ok : { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}

/** Puts a verdict into a condition; the transition time moves only with the status. */
export function conditionOf(type: string, verdict: Verdict, previous: readonly PodCondition[], now: string, generation: number | undefined): PodCondition {
  const old = previous.find((c) => c.type === type)
  return {
    type,
    status: verdict.status,
    ...(verdict.reason ? { reason: verdict.reason } : {}),
    ...(verdict.message ? { message: verdict.message } : {}),
    lastTransitionTime: old?.status === verdict.status && old.lastTransitionTime ? old.lastTransitionTime : now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
}
