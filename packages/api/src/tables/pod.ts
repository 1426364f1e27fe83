import type { ContainerState, ContainerStatus, Pod } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf, since } from './duration.ts'

interface Summary {
  /** The status column's word. */
  reason: string
  ready: number
  restarts: number
  /** When a container last ended, '' if none has. */
  lastRestart: string
}

/** The word for a state that is neither running nor waiting without a reason. */
function endedReason(state: ContainerState | undefined): string | undefined {
  const ended = state?.terminated
  if (!ended) return undefined
  if (ended.reason) return ended.reason
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode ?? 0}`
}

const later = (a: string, status: ContainerStatus): string => {
  const ended = status.lastState?.terminated?.finishedAt ?? ''
  return ended > a ? ended : a
}

const condition = (pod: Pod, type: string) => pod.status?.conditions?.find((c) => c.type === type)

/** What init containers say. `initializing` is true while one of them has not done its part. */
function initSummary(pod: Pod, summary: Summary, sidecars: ReadonlySet<string>): { initializing: boolean; restarts: number; lastRestart: string } {
  const ofSidecars = { restarts: 0, lastRestart: '' }
  for (const [i, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(status.name)
    summary.restarts += status.restartCount ?? 0
    summary.lastRestart = later(summary.lastRestart, status)
    if (isSidecar) {
      ofSidecars.restarts += status.restartCount ?? 0
      ofSidecars.lastRestart = later(ofSidecars.lastRestart, status)
    }
    if (status.state?.terminated && (status.state.terminated.exitCode ?? 0) === 0) continue
    if (isSidecar && status.started) {
      if (status.ready) summary.ready++
      continue
    }
    const waiting = status.state?.waiting?.reason
    const ended = endedReason(status.state)
    if (ended !== undefined) summary.reason = `Init:${ended}`
    else if (waiting && waiting !== 'PodInitializing') summary.reason = `Init:${waiting}`
    else summary.reason = `Init:${i}/${pod.spec.initContainers?.length ?? 0}`
    return { initializing: true, ...ofSidecars }
  }
  return { initializing: false, ...ofSidecars }
}

/** What the regular containers say; the first one's word counts. */
function containerSummary(pod: Pod, summary: Summary): void {
  let running = false
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    summary.restarts += status.restartCount ?? 0
    summary.lastRestart = later(summary.lastRestart, status)
    const ended = endedReason(status.state)
    if (status.state?.waiting?.reason) summary.reason = status.state.waiting.reason
    else if (ended !== undefined) summary.reason = ended
    else if (status.ready && status.state?.running) {
      running = true
      summary.ready++
    }
  }
  if (summary.reason === 'Completed' && running) summary.reason = condition(pod, 'Ready')?.status === 'True' ? 'Running' : 'NotReady'
}

function summarize(pod: Pod): Summary & { total: number } {
  const { status = {}, spec, metadata } = pod
  const gated = condition(pod, 'PodScheduled')?.reason === 'SchedulingGated'
  const summary: Summary = { reason: gated ? 'SchedulingGated' : status.reason || status.phase || '', ready: 0, restarts: 0, lastRestart: '' }
  const sidecars = new Set((spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always').map(({ name }) => name))
  const init = initSummary(pod, summary, sidecars)
  if (!init.initializing || condition(pod, 'Initialized')?.status === 'True') {
    summary.restarts = init.restarts
    summary.lastRestart = init.lastRestart
    containerSummary(pod, summary)
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown'
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.reason = 'Terminating'
  }
  return { ...summary, total: (spec.containers?.length ?? 0) + sidecars.size }
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  return `${gates.filter((gate) => condition(pod, gate.conditionType)?.status === 'True').length}/${gates.length}`
}

export const podTable: KindTable<Pod> = {
  columns: [
    nameColumn,
    { name: 'Ready', description: 'The aggregate readiness state of this pod for accepting traffic.' },
    { name: 'Status', description: 'The aggregate status of the containers in this pod.' },
    { name: 'Restarts', description: 'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.' },
    ageColumn,
    { name: 'IP', wide: true, description: ['core/v1', 'PodStatus', 'podIP'] },
    { name: 'Node', wide: true, description: ['core/v1', 'PodSpec', 'nodeName'] },
    { name: 'Nominated Node', wide: true, description: ['core/v1', 'PodStatus', 'nominatedNodeName'] },
    { name: 'Readiness Gates', wide: true, description: ['core/v1', 'PodSpec', 'readinessGates'] },
  ],
  cells(pod, now) {
    const { reason, ready, total, restarts, lastRestart } = summarize(pod)
    return [
      pod.metadata.name,
      `${ready}/${total}`,
      reason,
      restarts !== 0 && lastRestart !== '' ? `${restarts} (${since(lastRestart, now)} ago)` : String(restarts),
      ageOf(pod, now),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
      pod.spec.nodeName || '<none>',
      pod.status?.nominatedNodeName || '<none>',
      readinessGates(pod),
    ]
  },
}
