import { chmod, mkdir, readdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import type { Pod, PodQOSClass, Secret } from '@berth/api/types/core/v1'
import type { Init, Mount, PodSandboxConfig } from '@berth/cri'
import { ContainerStartError, messageOf } from '../errors.ts'
import { runHook } from '../hooks/run.ts'
import { legacyLogLink, podLogDirectory } from '../logs/paths.ts'
import { goDuration } from '../pods/back-off.ts'
import { containerHash, formatPod, type PodContainer } from '../pods/containers.ts'
import { containerConfig, type NodeSettings } from '../pods/cri-config.ts'
import { containerEnv } from '../pods/env.ts'
import { hostsFile } from '../pods/host-files.ts'
import { serviceVariables } from '../pods/service-env.ts'
import { ignoreNotFound } from '../runtime/read.ts'
import { latestContainer, type PodRuntime, restartCountOf } from '../runtime/records.ts'
import type { WorkerContext } from './context.ts'
import { downwardFacts } from './facts.ts'
import { killContainer } from './kill.ts'
import { containerReference } from './references.ts'

/** What starting the containers of one pass shares. */
export interface StartInput {
  pod: Pod
  runtime: PodRuntime
  sandboxId: string
  sandbox: Init<PodSandboxConfig>
  podIps: readonly string[]
  qos: PodQOSClass
  volumes: ReadonlyMap<string, string>
  pullSecrets: readonly Secret[]
  node: NodeSettings
  signal: AbortSignal
}

/** Throws CrashLoopBackOff while the container's last failure is too fresh; else counts one more restart. */
export function applyBackOff(context: WorkerContext, pod: Pod, container: PodContainer, runtime: PodRuntime): void {
  const { clock, restarts, recorder } = context
  const record = latestContainer(runtime, container.spec.name)
  if (!record || record.state !== 'exited') return
  const key = `${pod.metadata.uid}_${container.spec.name}_${containerHash(container.spec)}`
  const now = clock.now()
  const wait = restarts.remaining(key, record.finishedAt, now)
  if (wait > 0) {
    const name = container.spec.name
    recorder.event(containerReference(pod, name), 'Warning', 'BackOff', `Back-off restarting failed container ${name} in pod ${formatPod(pod)}`)
    throw Object.assign(new ContainerStartError('CrashLoopBackOff', `back-off ${goDuration(restarts.get(key))} restarting failed container=${name} pod=${formatPod(pod)}`), { retryMs: wait })
  }
  restarts.next(key, record.finishedAt, now)
  restarts.collect(now)
}

/** Pulls, creates and starts one container. Throws a ContainerStartError whose reason goes into the status. */
export async function startContainer(context: WorkerContext, container: PodContainer, input: StartInput): Promise<void> {
  const { cri, recorder } = context
  const { pod, signal } = input
  const c = container.spec
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): void => recorder.event(containerReference(pod, c.name), type, reason, message)
  const fail = (reason: ContainerStartError['reason'], error: unknown): never => {
    if (signal.aborted) throw error
    event('Warning', 'Failed', `Error: ${messageOf(error)}`)
    throw new ContainerStartError(reason, messageOf(error), error)
  }

  let image
  try {
    image = await context.images.ensure(pod, c, input.pullSecrets, input.sandbox, signal)
  } catch (error) {
    if (error instanceof ContainerStartError) event('Warning', 'Failed', `Error: ${error.reason}`)
    throw error
  }
  const restartCount = await nextRestartCount(context, container, input)
  let config
  try {
    const env = await environment(context, container, input)
    const mounts = await allMounts(context, container, input, env)
    config = containerConfig({
      pod, container, restartCount, env, mounts, qos: input.qos, node: input.node, imageRef: image.id,
      imageUser: { ...(image.uid ? { uid: Number(image.uid.value) } : {}), ...(image.username ? { username: image.username } : {}) },
      ...targetOf(container, input),
    })
    await mkdir(join(podLogDirectory(input.node.podLogsDir, pod), c.name), { recursive: true, mode: 0o755 })
  } catch (error) {
    return fail('CreateContainerConfigError', error)
  }
  let containerId = ''
  try {
    containerId = (await cri.createContainer({ podSandboxId: input.sandboxId, config, sandboxConfig: input.sandbox }, { signal })).containerId
  } catch (error) {
    return fail('CreateContainerError', error)
  }
  event('Normal', 'Created', 'Container created')
  try {
    await cri.startContainer({ containerId }, { signal })
  } catch (error) {
    return fail('RunContainerError', error)
  }
  event('Normal', 'Started', 'Container started')
  context.metrics.startedContainers.inc({ container_type: container.kind === 'init' ? 'init_container' : container.kind === 'ephemeral' ? 'ephemeral_container' : 'container' })
  await linkLog(context, pod, c.name, restartCount, containerId)

  const postStart = c.lifecycle?.postStart
  if (!postStart) return
  try {
    await runHook(cri, postStart, { containerId, container: c, podIp: input.podIps[0] ?? '' }, 0, signal)
  } catch (error) {
    if (signal.aborted) throw error
    event('Warning', 'FailedPostStartHook', 'PostStartHook failed')
    const record = (await context.runtime.read(pod.metadata.uid ?? '')).containers.find((r) => r.id === containerId)
    if (record) await killContainer(context, pod, record, { message: 'FailedPostStartHook', graceSeconds: pod.spec.terminationGracePeriodSeconds ?? 30, podIp: input.podIps[0] ?? '', signal })
    throw new ContainerStartError('PostStartHookError', messageOf(error), error)
  }
}

function targetOf(container: PodContainer, input: StartInput): { targetId?: string } {
  const name = container.kind === 'ephemeral' ? (container.spec as { targetContainerName?: string }).targetContainerName : undefined
  const id = name ? latestContainer(input.runtime, name)?.id : undefined
  return id ? { targetId: id } : {}
}

/** One more than the last instance's; where the runtime has lost that, the log files still tell. */
async function nextRestartCount(context: WorkerContext, container: PodContainer, input: StartInput): Promise<number> {
  const record = latestContainer(input.runtime, container.spec.name)
  if (record?.state === 'created') {
    // Made by a kubelet that died before it started it: nothing of it ever ran, so its number is free again.
    await ignoreNotFound(context.cri.removeContainer({ containerId: record.id }))
    return restartCountOf(record)
  }
  if (record) return restartCountOf(record) + 1
  const dir = join(podLogDirectory(context.settings.podLogsDir, input.pod), container.spec.name)
  const numbers = (await readdir(dir).catch(() => [])).map((f) => /^(\d+)\.log/.exec(f)?.[1]).filter((n) => n !== undefined).map(Number)
  const status = [...(input.pod.status?.containerStatuses ?? []), ...(input.pod.status?.initContainerStatuses ?? [])].find((s) => s.name === container.spec.name)
  const fromApi = status?.containerID ? status.restartCount + 1 : 0
  return numbers.length > 0 ? Math.max(Math.max(...numbers) + 1, fromApi) : fromApi
}

async function environment(context: WorkerContext, container: PodContainer, input: StartInput): Promise<Record<string, string>> {
  const { pod } = input
  const namespace = pod.metadata.namespace ?? ''
  return containerEnv(pod, container.spec, {
    configMap: (name) => context.configMaps.get(namespace, name),
    secret: (name) => context.secrets.get(namespace, name),
    serviceVariables: serviceVariables(pod, await context.services()),
    downward: downwardFacts(context, input.podIps),
  })
}

/** The container's volumes, its /etc/hosts and its termination log. */
async function allMounts(context: WorkerContext, container: PodContainer, input: StartInput, env: Record<string, string>): Promise<Init<Mount>[]> {
  const { pod } = input
  const c = container.spec
  const podDir = context.volumes.podDir(pod.metadata.uid ?? '')
  const mounts = await context.volumes.mounts(pod, c, input.volumes, env, context.recursiveReadOnly())
  if (!mounts.some((m) => m.containerPath === '/etc/hosts')) {
    const path = join(podDir, 'etc-hosts')
    const host = pod.spec.hostNetwork ? await readFile('/etc/hosts', 'utf8').catch(() => '') : ''
    await writeFile(path, hostsFile(pod, input.podIps, context.settings.clusterDomain, host), { mode: 0o644 })
    await chmod(path, 0o644)
    mounts.push({ containerPath: '/etc/hosts', hostPath: path, readonly: false })
  }
  const termination = c.terminationMessagePath ?? '/dev/termination-log'
  if (termination) {
    const dir = join(podDir, 'containers', c.name)
    await mkdir(dir, { recursive: true, mode: 0o750 })
    const path = join(dir, randomBytes(4).toString('hex'))
    await writeFile(path, '', { mode: 0o666 })
    await chmod(path, 0o666)
    mounts.push({ containerPath: termination, hostPath: path, readonly: false })
  }
  return mounts
}

/** The link by which log collectors find the log; a log that cannot be linked is no reason not to run. */
async function linkLog(context: WorkerContext, pod: Pod, name: string, restartCount: number, id: string): Promise<void> {
  const { settings, logger } = context
  const link = legacyLogLink(settings.containerLogsDir, { name: pod.metadata.name, namespace: pod.metadata.namespace ?? '' }, name, id)
  try {
    await mkdir(settings.containerLogsDir, { recursive: true, mode: 0o755 })
    await unlink(link).catch(() => {})
    await symlink(join(podLogDirectory(settings.podLogsDir, pod), name, `${restartCount}.log`), link)
  } catch (error) {
    logger.v(1).info('Failed to create legacy symbolic link', { path: link, err: messageOf(error) })
  }
}
