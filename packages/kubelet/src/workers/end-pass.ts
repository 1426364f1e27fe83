import { rm } from 'node:fs/promises'
import { computePodQos } from '@berth/pod-rules'
import { podCgroupPath } from '../cgroups/values.ts'
import { podLogDirectory } from '../logs/paths.ts'
import { podStatus } from '../pods/pod-status.ts'
import { ignoreNotFound } from '../runtime/read.ts'
import { nothingRuns, type PodRuntime } from '../runtime/records.ts'
import type { WorkerContext } from './context.ts'
import { gracePeriodOf, killPod } from './kill.ts'
import { merged, reportStatus } from './sync-pass.ts'
import type { PassResult, PodWorker } from './worker.ts'

/**
 * One look at a pod that is to end: stop everything in its grace period, write the last status, give back volumes and cgroup; and once its
 * deletion was asked for, remove what is left and let the API object go. Every step can be repeated.
 */
export async function endPod(context: WorkerContext, worker: PodWorker, signal: AbortSignal): Promise<PassResult> {
  const { state } = worker
  const { pod } = state
  const uid = pod.metadata.uid ?? ''
  let runtime = await context.runtime.read(uid)

  if (!nothingRuns(runtime) || state.phase === 'terminating') {
    if (!state.gone && !state.finalStatus) reportStatus(context, state, runtime)
    context.probes.stopLivenessAndStartup(uid)
    const ips = (context.statuses.get(uid)?.podIPs ?? pod.status?.podIPs ?? []).map((p) => p.ip)
    await killPod(context, pod, runtime, state.grace ?? gracePeriodOf(pod), ips[0] ?? '', signal)
    runtime = await context.runtime.read(uid)
    if (!nothingRuns(runtime)) throw new Error('containers are still running after they were stopped')
    context.probes.remove(uid)
  }
  if (runtime.containers.length > 0 || !state.finalStatus) state.finalStatus = finalStatus(context, worker, runtime)
  if (!state.gone) context.statuses.set(pod, state.finalStatus)

  await context.volumes.tearDown(uid, { keepPodDir: true })
  context.configMaps.release(uid)
  context.secrets.release(uid)
  context.boundVolumes.release(uid)
  context.tokens.forget(uid)
  if (context.settings.cgroupsPerQos) for (const qos of new Set([computePodQos(pod), 'BestEffort', 'Burstable', 'Guaranteed'] as const)) await context.cgroups.remove(podCgroupPath(context.settings.cgroupRoot, qos, uid))
  state.phase = 'ended'

  if (!pod.metadata.deletionTimestamp && !state.gone) return {}
  await removeFromRuntime(context, runtime)
  await context.volumes.tearDown(uid, { keepPodDir: false })
  if (!state.gone) {
    context.statuses.finish(pod, state.finalStatus)
    return {}
  }
  await rm(podLogDirectory(context.settings.podLogsDir, pod), { recursive: true, force: true })
  context.statuses.forget(uid)
  state.phase = 'finished'
  return {}
}

function finalStatus(context: WorkerContext, worker: PodWorker, runtime: PodRuntime): ReturnType<typeof podStatus> {
  const { state } = worker
  const { pod } = state
  return podStatus({
    pod, runtime, previous: merged(pod, context.statuses.get(pod.metadata.uid ?? '')), failures: new Map(), probes: context.probes,
    runtimeName: context.runtimeName, hostIps: context.hostIps(), now: context.clock.now(), terminal: true, ...(state.ended ? { ended: state.ended } : {}),
  })
}

/** Removes the pod's containers and sandboxes, which must all be stopped. */
export async function removeFromRuntime(context: WorkerContext, runtime: PodRuntime): Promise<void> {
  const { cri } = context
  for (const c of runtime.containers) await ignoreNotFound(cri.removeContainer({ containerId: c.id }))
  for (const s of runtime.sandboxes) {
    await ignoreNotFound(cri.stopPodSandbox({ podSandboxId: s.id }))
    await ignoreNotFound(cri.removePodSandbox({ podSandboxId: s.id }))
  }
}
