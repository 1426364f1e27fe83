import type { Container, Pod } from '@berth/api/types/core/v1'
import { type ContainerRecord, hashOf, latestContainer, type PodRuntime } from '../runtime/records.ts'
import { allContainers, containerHash, isSidecar, type PodContainer, restartsAfterExit, shouldStart } from './containers.ts'

export type ProbeResult = 'success' | 'failure' | 'unknown'

/** What the probes last said, by container ID; undefined means no probe has run for that instance. */
export interface ProbeResults {
  startup(containerId: string): ProbeResult | undefined
  liveness(containerId: string): ProbeResult | undefined
}

export type KillReason = 'liveness' | 'startup' | 'changed' | 'unknown'

export interface ContainerKill {
  record: ContainerRecord
  container: PodContainer
  message: string
  reason: KillReason
}

/** What has to happen to a pod now. Kills come before the sandbox, the sandbox before the starts. */
export interface PodPlan {
  /** Stop every container and sandbox of the pod first. */
  killPod: boolean
  /** Make a new sandbox, with this attempt number. */
  createSandbox?: { attempt: number }
  /** The sandbox to use when none is made. */
  sandboxId?: string
  kills: ContainerKill[]
  starts: PodContainer[]
}

/** Does the pod need another sandbox? As upstream: none yet, more than one ready, not ready, network mode changed, or no address. */
export function sandboxNeed(pod: Pod, runtime: PodRuntime): { create: boolean; attempt: number; id?: string } {
  const newest = runtime.sandboxes[0]
  if (!newest) return { create: true, attempt: 0 }
  const next = { create: true, attempt: newest.attempt + 1, id: newest.id }
  if (runtime.sandboxes.filter((s) => s.ready).length > 1) return next
  if (!newest.ready) return next
  const hostNetwork = pod.spec.hostNetwork === true
  if (newest.hostNetwork !== hostNetwork) return next
  if (!hostNetwork && newest.ips.length === 0) return next
  return { create: false, attempt: newest.attempt, id: newest.id }
}

const succeeded = (record: ContainerRecord | undefined): boolean => record?.state === 'exited' && record.exitCode === 0

/** True once a regular container was ever made: then the init containers are done, even if their instances are gone. */
export function hasAnyRegularContainer(pod: Pod, runtime: PodRuntime): boolean {
  return pod.spec.containers.some((c) => {
    const state = latestContainer(runtime, c.name)?.state
    return state !== undefined && state !== 'unknown'
  })
}

/** Would anything restart after a failure in this pod? */
const restartsOnFailure = (pod: Pod, c: Container): boolean => restartsAfterExit(pod, c, 1)

/**
 * Decides what to do with a pod that shall run, from its spec, what the runtime has, and what the probes say. Pure: the same world gives
 * the same plan, so a kubelet that restarts or missed an event arrives at the same place. Back-off is applied by the caller at each start.
 */
export function planPod(pod: Pod, runtime: PodRuntime, probes: ProbeResults): PodPlan {
  const need = sandboxNeed(pod, runtime)
  const plan: PodPlan = { killPod: need.create, kills: [], starts: [], ...(need.id === undefined ? {} : { sandboxId: need.id }) }
  if (need.create) return planNewSandbox(pod, runtime, plan, need.attempt)

  for (const c of allContainers(pod)) if (c.kind === 'ephemeral' && !latestContainer(runtime, c.spec.name)) plan.starts.push(c)
  const initialized = planInit(pod, runtime, probes, plan)
  if (plan.killPod || !initialized) return plan
  planRegular(pod, runtime, probes, plan)
  return plan
}

function planNewSandbox(pod: Pod, runtime: PodRuntime, plan: PodPlan, attempt: number): PodPlan {
  const all = allContainers(pod)
  const regular = all.filter((c) => c.kind === 'container')
  // A pod that never restarts and has run is finished: another sandbox would have nothing to do.
  const neverAgain = regular.every((c) => !restartsOnFailure(pod, c.spec))
  if (neverAgain && attempt !== 0 && runtime.containers.length > 0) return plan
  const starts = regular.filter((c) => {
    const record = latestContainer(runtime, c.spec.name)
    return !(succeeded(record) && !restartsAfterExit(pod, c.spec, 0))
  })
  if (starts.length === 0 && hasAnyRegularContainer(pod, runtime)) return plan
  plan.createSandbox = { attempt }
  const firstInit = all.find((c) => c.kind === 'init')
  plan.starts = firstInit ? [firstInit] : starts
  return plan
}

/** Plans the init containers. Returns whether the regular ones may run. */
function planInit(pod: Pod, runtime: PodRuntime, probes: ProbeResults, plan: PodPlan): boolean {
  const inits = allContainers(pod).filter((c) => c.kind === 'init')
  if (inits.length === 0) return true
  const before = hasAnyRegularContainer(pod, runtime)
  let initialized = before
  // Once true, earlier plain init containers are known to be done, and only sidecars are still looked after.
  let passed = before
  const starts: PodContainer[] = []
  const kill = (container: PodContainer, record: ContainerRecord, what: string, reason: KillReason): void => {
    plan.kills.push({ record, container, message: `Init container ${container.spec.name} ${what}`, reason })
    starts.push(container)
  }
  const advance = (i: number): void => {
    if (passed) return
    const next = inits[i + 1]
    if (next) starts.push(next)
    else initialized = true
  }

  for (let i = inits.length - 1; i >= 0; i--) {
    const c = inits[i]
    if (!c) continue
    const record = latestContainer(runtime, c.spec.name)
    const sidecar = isSidecar(c.spec)
    if (passed && !sidecar) continue
    if (!record) {
      if (passed) starts.push(c)
      continue
    }
    if (record.state === 'running') {
      if (sidecar) planRunningSidecar(c, record, probes, kill, () => advance(i))
      else if (hashOf(record) !== containerHash(c.spec)) kill(c, record, 'definition changed', 'changed')
    } else if (record.state === 'exited') {
      if (sidecar) starts.push(c)
      else if (record.exitCode === 0) advance(i)
      else if (!restartsOnFailure(pod, c.spec)) {
        plan.killPod = true
        return false
      } else starts.push(c)
    } else if (record.state === 'created') {
      // Made but never started: the kubelet died in between. Starting a new instance is what upstream does on its next pass.
      starts.push(c)
    } else kill(c, record, 'is in an unknown state, try killing it before restart', 'unknown')
    passed = true
  }
  const first = inits[0]
  if (!passed && first) starts.push(first)
  plan.starts.push(...starts.toSorted((a, b) => a.index - b.index))
  return initialized
}

function planRunningSidecar(
  c: PodContainer,
  record: ContainerRecord,
  probes: ProbeResults,
  kill: (c: PodContainer, r: ContainerRecord, what: string, reason: KillReason) => void,
  advance: () => void,
): void {
  if (hashOf(record) !== containerHash(c.spec)) return kill(c, record, 'definition changed', 'changed')
  if (c.spec.startupProbe) {
    const startup = probes.startup(record.id)
    if (startup === 'failure') return kill(c, record, 'failed startup probe', 'startup')
    if (startup !== 'success') return
  }
  if (c.spec.livenessProbe && probes.liveness(record.id) === 'failure') return kill(c, record, 'failed liveness probe', 'liveness')
  advance()
}

function planRegular(pod: Pod, runtime: PodRuntime, probes: ProbeResults, plan: PodPlan): void {
  let kept = 0
  const starts: PodContainer[] = []
  for (const c of allContainers(pod)) {
    if (c.kind !== 'container') continue
    const record = latestContainer(runtime, c.spec.name)
    if (!record || record.state !== 'running') {
      if (!shouldStart(pod, c.spec, record)) continue
      starts.push(c)
      if (record?.state === 'unknown')
        plan.kills.push({ record, container: c, reason: 'unknown', message: `Container is in "unknown" state, try killing it before restart` })
      continue
    }
    const name = c.spec.name
    let restart = restartsOnFailure(pod, c.spec)
    let message: string
    let reason: KillReason
    if (hashOf(record) !== containerHash(c.spec)) {
      ;[message, reason, restart] = [`Container ${name} definition changed`, 'changed', true]
    } else if (probes.liveness(record.id) === 'failure') {
      ;[message, reason] = [`Container ${name} failed liveness probe`, 'liveness']
    } else if (probes.startup(record.id) === 'failure') {
      ;[message, reason] = [`Container ${name} failed startup probe`, 'startup']
    } else {
      kept++
      continue
    }
    if (restart) {
      message += ', will be restarted'
      starts.push(c)
    }
    plan.kills.push({ record, container: c, message, reason })
  }
  if (kept === 0 && starts.length === 0) {
    plan.killPod = true
    plan.starts = []
    return
  }
  plan.starts.push(...starts)
}
