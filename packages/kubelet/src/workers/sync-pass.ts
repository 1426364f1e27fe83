import { node } from '@berth/api'
import type { Pod, Secret } from '@berth/api/types/core/v1'
import { isNotFound } from '@berth/kube'
import { computePodQos } from '@berth/pod-rules'
import { cgroupWrites, podCgroupPath, podCgroupValues } from '../cgroups/values.ts'
import { ContainerStartError, messageOf, MountError, rpcErrorText } from '../errors.ts'
import { podReferences } from '../objects/references.ts'
import { type NodeSettings, sandboxConfig } from '../pods/cri-config.ts'
import { podDns } from '../pods/dns.ts'
import { type PodPlan, planPod } from '../pods/plan.ts'
import { podStatus } from '../pods/pod-status.ts'
import { amountsOf, podAmounts } from '../pods/resources.ts'
import { fromTime } from '../pods/time.ts'
import { nothingRuns, type PodRuntime } from '../runtime/records.ts'
import { makePodDirs } from '../volumes/manager.ts'
import type { WorkerContext } from './context.ts'
import { downwardFacts } from './facts.ts'
import { gracePeriodOf, killContainer, killPod } from './kill.ts'
import { podReference } from './references.ts'
import { applyBackOff, startContainer, type StartInput } from './start.ts'
import type { PassResult, PodWorker, WorkerState } from './worker.ts'

/** One look at a pod that shall run: what is, what should be, and the steps between. */
export async function syncPod(context: WorkerContext, worker: PodWorker, signal: AbortSignal): Promise<PassResult> {
  const { state } = worker
  const { pod } = state
  const uid = pod.metadata.uid ?? ''
  const { recorder, settings, clock } = context
  const runtime = await context.runtime.read(uid)
  signal.throwIfAborted()
  // Probes first: what they say of an instance that is new to them (after a restart of ours) is part of the status.
  context.probes.sync(pod, runtime, pod.spec.hostNetwork ? context.hostIps() : (runtime.sandboxes.find((s) => s.ready)?.ips ?? []))
  const status = reportStatus(context, state, runtime)
  for (const name of state.failures.keys()) if (runtime.containers.some((c) => c.name === name && c.state === 'running')) state.failures.delete(name)

  const deadline = deadlineOf(pod, status.startTime)
  if (deadline !== undefined && clock.now() >= deadline) {
    const message = 'Pod was active on the node longer than the specified deadline'
    recorder.event(podReference(pod), 'Normal', 'DeadlineExceeded', message)
    worker.terminate({ ended: { reason: 'DeadlineExceeded', message } })
    return {}
  }
  if (status.phase === 'Succeeded' || status.phase === 'Failed') {
    worker.terminate()
    return {}
  }
  if (!pod.spec.hostNetwork) {
    const problem = context.networkProblem()
    if (problem) {
      recorder.event(podReference(pod), 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`)
      throw new Error(`network is not ready: ${problem}`)
    }
  }

  const references = podReferences(pod)
  context.configMaps.retain(uid, references.configMaps)
  context.secrets.retain(uid, references.secrets)
  const qos = computePodQos(pod)
  const cgroup = podCgroupPath(settings.cgroupRoot, qos, uid)
  await ensureCgroup(context, pod, cgroup)
  await makePodDirs(context.volumes.podDir(uid))
  const ips = (status.podIPs ?? []).map((p) => p.ip)
  const volumes = await setUpVolumes(context, pod, ips)
  signal.throwIfAborted()

  const plan = planPod(pod, runtime, context.probes)
  const settingsOfNode = nodeSettings(context)
  await applyKills(context, pod, runtime, plan, ips[0] ?? '', signal)
  if (!plan.createSandbox && plan.starts.length === 0) return { again: plan.kills.length > 0 || (plan.killPod && !nothingRuns(runtime)), ...untilDeadline(context, deadline) }

  const { dns, problems } = podDns(pod, await context.hostDns(), { servers: settings.clusterDns, domain: settings.clusterDomain })
  if (plan.createSandbox) for (const problem of problems) recorder.event(podReference(pod), 'Warning', 'DNSConfigForming', problem)
  const sandbox = sandboxConfig(pod, plan.createSandbox?.attempt ?? runtime.sandboxes[0]?.attempt ?? 0, dns, cgroup, settingsOfNode)
  const made = plan.createSandbox ? await createSandbox(context, pod, sandbox, signal) : undefined
  const sandboxId = made?.id ?? plan.sandboxId ?? ''
  const podIps = pod.spec.hostNetwork ? [...context.hostIps()] : (made?.ips ?? runtime.sandboxes[0]?.ips ?? [])
  if (made && !state.started) context.metrics.startedPods.inc()
  state.started = true
  const input: StartInput = { pod, runtime, sandboxId, sandbox, podIps, qos, volumes, node: settingsOfNode, signal, pullSecrets: await pullSecrets(context, pod) }
  const retry = await startAll(context, state, plan, input)
  if (state.failures.size > 0) reportStatus(context, state, await context.runtime.read(uid))
  return { again: retry.startedAny, afterMs: Math.min(retry.afterMs, untilDeadline(context, deadline).afterMs ?? Number.POSITIVE_INFINITY) }
}

/** Computes the pod's status and hands it to who writes it. */
export function reportStatus(context: WorkerContext, state: WorkerState, runtime: PodRuntime): ReturnType<typeof podStatus> {
  const { pod } = state
  const status = podStatus({
    pod, runtime,
    previous: merged(pod, context.statuses.get(pod.metadata.uid ?? '')),
    failures: state.failures, probes: context.probes, runtimeName: context.runtimeName, hostIps: context.hostIps(), now: context.clock.now(), terminal: false,
    ...(state.ended ? { ended: state.ended } : {}),
  })
  context.statuses.set(pod, status)
  return status
}

/** What we last decided, with the conditions that others have set meanwhile. */
export function merged(pod: Pod, own: Pod['status']): NonNullable<Pod['status']> {
  if (!own) return pod.status ?? {}
  const types = new Set((own.conditions ?? []).map((c) => c.type))
  const live = pod.status?.conditions ?? []
  return { ...own, conditions: [...(own.conditions ?? []).map((c) => ownedOr(c, live)), ...live.filter((c) => !types.has(c.type))] }
}

const ownTypes = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady'])
const ownedOr = <T extends { type: string }>(own: T, live: readonly T[]): T => (ownTypes.has(own.type) ? own : (live.find((l) => l.type === own.type) ?? own))

function deadlineOf(pod: Pod, startTime: string | undefined): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds
  return seconds === undefined || !startTime ? undefined : fromTime(startTime) + seconds * 1000
}

const untilDeadline = (context: WorkerContext, deadline: number | undefined): { afterMs?: number } => (deadline === undefined ? {} : { afterMs: Math.max(0, deadline - context.clock.now()) })

async function ensureCgroup(context: WorkerContext, pod: Pod, path: string): Promise<void> {
  const { settings, cgroups } = context
  if (!settings.cgroupsPerQos) return
  try {
    await cgroups.ensure(path)
    const values = podCgroupValues(pod, computePodQos(pod), { cfsQuota: settings.cfsQuota, periodMicros: settings.cfsPeriodMicros, pidsLimit: settings.podPidsLimit })
    await cgroups.write(path, cgroupWrites(values, cgroups.version))
  } catch (error) {
    context.recorder.event(podReference(pod), 'Warning', 'FailedToCreatePodContainer', `unable to ensure pod container exists: ${messageOf(error)}`)
    throw error
  }
}

async function setUpVolumes(context: WorkerContext, pod: Pod, podIps: readonly string[]): Promise<Map<string, string>> {
  const namespace = pod.metadata.namespace ?? ''
  const limit = podAmounts(pod, 'limits').memory ?? 0n
  const everyLimited = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].every((c) => (amountsOf(c.resources?.limits).memory ?? 0n) > 0n)
  const allocatable = amountsOf(context.node()?.status?.allocatable).memory ?? context.memoryCapacity
  try {
    return await context.volumes.setUp(pod, {
      pod,
      configMap: (name) => context.configMaps.get(namespace, name),
      secret: (name) => context.secrets.get(namespace, name),
      token: (projection) => context.tokens.get(pod, projection),
      downward: downwardFacts(context, podIps),
      boundVolume: (claim, owned) => context.boundVolumes.get(pod, claim, owned),
      nodeLabels: () => context.node()?.metadata.labels ?? {},
      memoryLimit: everyLimited && limit > 0n ? limit : allocatable,
    })
  } catch (error) {
    if (error instanceof MountError) context.recorder.event(podReference(pod), 'Warning', 'FailedMount', error.message)
    throw error
  }
}

/** Stops what the plan says has to stop before anything starts. */
async function applyKills(context: WorkerContext, pod: Pod, runtime: PodRuntime, plan: PodPlan, podIp: string, signal: AbortSignal): Promise<void> {
  if (plan.killPod) {
    if (runtime.sandboxes.length > 0 && plan.createSandbox) context.recorder.event(podReference(pod), 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    await killPod(context, pod, runtime, gracePeriodOf(pod), podIp, signal)
    return
  }
  for (const kill of plan.kills) {
    const probe = kill.reason === 'liveness' ? kill.container.spec.livenessProbe : kill.reason === 'startup' ? kill.container.spec.startupProbe : undefined
    const override = probe?.terminationGracePeriodSeconds
    await killContainer(context, pod, kill.record, { message: kill.message, graceSeconds: override ?? gracePeriodOf(pod), exact: override !== undefined, podIp, signal })
  }
  // The instances that were just stopped are still in `runtime` as running; the next pass sees them as they are, and starts them again.
  const killed = new Set(plan.kills.map((k) => k.record.name))
  plan.starts = plan.starts.filter((c) => !killed.has(c.spec.name))
}

async function createSandbox(
  context: WorkerContext, pod: Pod, config: ReturnType<typeof sandboxConfig>, signal: AbortSignal,
): Promise<{ id: string; ips: string[] }> {
  const { cri, recorder } = context
  try {
    const runtimeHandler = await handlerOf(context, pod)
    const { podSandboxId } = await cri.runPodSandbox({ config, runtimeHandler }, { timeoutMs: Math.max(240_000, context.settings.runtimeRequestTimeoutMs), signal })
    const { status } = await cri.podSandboxStatus({ podSandboxId }, { signal })
    const ips = [status?.network?.ip ?? '', ...(status?.network?.additionalIps ?? []).map((i) => i.ip)].filter((ip) => ip !== '')
    return { id: podSandboxId, ips }
  } catch (error) {
    if (!signal.aborted) recorder.event(podReference(pod), 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${rpcErrorText(error)}`)
    throw error
  }
}

/** The runtime's handler for the pod's RuntimeClass. What of a pod's sandbox this kubelet cannot give is refused here, before anything is made. */
async function handlerOf(context: WorkerContext, pod: Pod): Promise<string> {
  if (pod.spec.hostUsers === false) throw new Error('hostUsers: false asks for a user namespace, which this kubelet does not serve')
  if ((pod.spec.resourceClaims ?? []).length > 0) throw new Error('resourceClaims (dynamic resource allocation) are not served by this kubelet')
  const name = pod.spec.runtimeClassName
  if (!name) return ''
  try {
    return (await context.client.get(node.runtimeclasses, name)).handler
  } catch (error) {
    throw isNotFound(error) ? new Error(`RuntimeClass "${name}" not found`, { cause: error }) : error
  }
}

/** So long a failed pull is shown as such before it becomes a back-off: who watches shall see the first cause. */
const pullErrorShownMs = 3000

/** Starts what the plan lists, in order. A failed init container holds back those after it; regular containers do not wait for each other. */
async function startAll(context: WorkerContext, state: WorkerState, plan: PodPlan, input: StartInput): Promise<{ startedAny: boolean; afterMs: number }> {
  let startedAny = false
  let afterMs = Number.POSITIVE_INFINITY
  let initFailed = false
  for (const container of plan.starts) {
    input.signal.throwIfAborted()
    if (initFailed && container.kind !== 'ephemeral') continue
    const name = container.spec.name
    const failed = state.failures.get(name)
    const shown = failed?.reason === 'ErrImagePull' ? failed.at + pullErrorShownMs - context.clock.now() : 0
    if (shown > 0) {
      afterMs = Math.min(afterMs, shown)
      if (container.kind === 'init') initFailed = true
      continue
    }
    try {
      applyBackOff(context, input.pod, container, input.runtime)
      await startContainer(context, container, input)
      state.failures.delete(name)
      startedAny = true
    } catch (error) {
      if (!(error instanceof ContainerStartError)) throw error
      state.failures.set(name, { reason: error.reason, message: error.message, at: context.clock.now() })
      context.metrics.startErrors.inc({ container_type: container.kind, code: error.reason })
      const retryMs = (error as ContainerStartError & { retryMs?: number }).retryMs
      afterMs = Math.min(afterMs, retryMs ?? 10_000)
      if (container.kind === 'init') initFailed = true
    }
  }
  return { startedAny, afterMs }
}

async function pullSecrets(context: WorkerContext, pod: Pod): Promise<Secret[]> {
  const namespace = pod.metadata.namespace ?? ''
  const found: Secret[] = []
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (!name) continue
    const secret = await context.secrets.get(namespace, name).catch(() => undefined)
    if (secret) found.push(secret)
    else context.recorder.event(podReference(pod), 'Warning', 'FailedToRetrieveImagePullSecret', `Unable to retrieve some image pull secrets (${name}); attempting to pull the image may not succeed.`)
  }
  return found
}

export function nodeSettings(context: WorkerContext): NodeSettings {
  const { settings } = context
  return {
    podLogsDir: settings.podLogsDir,
    clusterDomain: settings.clusterDomain,
    cfsQuota: settings.cfsQuota,
    cfsPeriodMicros: settings.cfsPeriodMicros,
    memoryCapacity: context.memoryCapacity,
    security: { seccompRoot: `${settings.rootDir}/seccomp`, seccompDefault: settings.seccompDefault },
  }
}
