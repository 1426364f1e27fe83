import type { Container, ContainerStatus, Pod, PodPhase } from '@berth/api/types/core/v1'
import { isSidecar, restartsAfterExit } from './containers.ts'

/** Counts of containers by what they do. */
interface Counts { waiting: number; running: number; stopped: number; succeeded: number; unknown: number }

const emptyCounts = (): Counts => ({ waiting: 0, running: 0, stopped: 0, succeeded: 0, unknown: 0 })

function count(counts: Counts, status: ContainerStatus | undefined): void {
  if (!status) counts.unknown++
  else if (status.state?.running) counts.running++
  else if (status.state?.terminated) {
    counts.stopped++
    if (status.state.terminated.exitCode === 0) counts.succeeded++
  } else if (status.state?.waiting) {
    if (status.lastState?.terminated) counts.stopped++
    else counts.waiting++
  } else counts.unknown++
}

function restartsAgain(pod: Pod, c: Container, status: ContainerStatus | undefined): boolean {
  const ended = status?.state?.terminated ?? status?.lastState?.terminated
  return ended !== undefined && restartsAfterExit(pod, c, ended.exitCode)
}

/**
 * The pod's phase, from the statuses of its containers.
 * @param terminal the pod has been stopped for good: then even `restartPolicy: Always` ends as Succeeded or Failed
 * @param started  some regular container was ever made, so initialization is over
 */
export function podPhase(pod: Pod, statuses: readonly ContainerStatus[], initStatuses: readonly ContainerStatus[], terminal: boolean, started: boolean): PodPhase {
  const neverRestarts = pod.spec.restartPolicy === 'Never'
  let pendingInit = 0
  let failedInit = 0
  const sidecars = emptyCounts()
  for (const c of pod.spec.initContainers ?? []) {
    const status = initStatuses.find((s) => s.name === c.name)
    if (isSidecar(c)) {
      count(sidecars, status)
      if (!status || (status.state?.waiting && !status.lastState?.terminated) || (status.state?.running && !status.started)) pendingInit++
      continue
    }
    const ended = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined)
    if (!status || status.state?.running || !ended) pendingInit++
    else if (ended.exitCode !== 0) {
      if (status.state?.terminated) failedInit++
      else pendingInit++
    }
  }
  const counts = emptyCounts()
  for (const c of pod.spec.containers) count(counts, statuses.find((s) => s.name === c.name))

  if (failedInit > 0 && neverRestarts) return 'Failed'
  const initPending = (pendingInit > 0 || failedInit > 0) && !started
  if (terminal && counts.running === 0 && sidecars.running === 0 && counts.unknown === 0 && counts.waiting === 0 && counts.stopped > 0)
    return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed'
  if (initPending || counts.waiting > 0) return 'Pending'
  if (counts.running > 0 && counts.unknown === 0) return 'Running'
  if (counts.running === 0 && counts.stopped > 0 && counts.unknown === 0) {
    // Sidecars still stop: the phase must not be final while something runs.
    if (sidecars.running > 0) return 'Running'
    if (pod.spec.containers.some((c) => restartsAgain(pod, c, statuses.find((x) => x.name === c.name)))) return 'Running'
    return counts.stopped === counts.succeeded ? 'Succeeded' : 'Failed'
  }
  return 'Pending'
}
