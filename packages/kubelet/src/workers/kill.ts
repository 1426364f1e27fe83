import type { Container, LifecycleHandler, Pod } from '@berth/api/types/core/v1'
import { isCriError } from '@berth/cri'
import { messageOf } from '../errors.ts'
import { runHook } from '../hooks/run.ts'
import { findContainer, isSidecar } from '../pods/containers.ts'
import { annotations, type ContainerRecord, type PodRuntime } from '../runtime/records.ts'
import type { WorkerContext } from './context.ts'
import { containerReference, podReference } from './references.ts'

const minimumGraceSeconds = 2
const defaultGraceSeconds = 30

/** Stops one container: event, preStop hook inside the grace period, then the runtime's stop with what is left (at least 2 s). */
export async function killContainer(
  context: WorkerContext, pod: Pod, record: ContainerRecord, options: { message: string; graceSeconds: number; exact?: boolean; podIp: string; signal: AbortSignal },
): Promise<void> {
  const { cri, recorder, clock, logger } = context
  const container: Container | undefined = findContainer(pod, record.name)?.spec
  recorder.event(container ? containerReference(pod, record.name) : podReference(pod), 'Normal', 'Killing', options.message)
  const began = clock.now()
  const preStop = container ? container.lifecycle?.preStop : preStopOf(record)
  if (preStop && options.graceSeconds > 0 && record.state === 'running') {
    const timeoutMs = options.graceSeconds * 1000
    // The hook ends when the grace period does; whatever it comes to, the container is stopped.
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)])
    try {
      await runHook(cri, preStop, { containerId: record.id, container: container ?? { name: record.name }, podIp: options.podIp }, timeoutMs, signal)
    } catch (error) {
      if (options.signal.aborted) throw error
      logger.v(1).info('PreStop hook failed', { pod: pod.metadata.name, container: record.name, err: messageOf(error) })
      recorder.event(containerReference(pod, record.name), 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
    }
  }
  const left = options.graceSeconds - Math.floor((clock.now() - began) / 1000)
  const seconds = options.exact ? Math.max(left, 0) : Math.max(left, minimumGraceSeconds)
  try {
    await cri.stopContainer({ containerId: record.id, timeout: BigInt(seconds) }, { timeoutMs: (seconds + 120) * 1000, signal: options.signal })
  } catch (error) {
    if (!isCriError(error, 'NotFound')) throw error
  }
}

/** The hook of a container whose pod is no longer known, as it was noted when the container was made. */
function preStopOf(record: ContainerRecord): LifecycleHandler | undefined {
  const text = record.annotations[annotations.preStopHandler]
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as LifecycleHandler
  } catch {
    return undefined
  }
}

/** The grace period of a pod in seconds: what its deletion says, else its spec. A deletion may only shorten it; 1 is the least. */
export function gracePeriodOf(pod: Pod, current?: number, override?: number): number {
  let grace = current
  if (override !== undefined && (grace === undefined || override < grace)) grace = override
  const deletion = pod.metadata.deletionTimestamp ? pod.metadata.deletionGracePeriodSeconds : undefined
  if (deletion !== undefined && (grace === undefined || deletion < grace)) grace = deletion
  grace ??= pod.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds
  return Math.max(grace, 1)
}

/**
 * Stops every container of a pod, then its sandboxes. The regular containers stop together; sidecars stop in the reverse of their order, each when all
 * that started after it are gone, or when the grace period is over.
 */
export async function killPod(context: WorkerContext, pod: Pod, runtime: PodRuntime, graceSeconds: number, podIp: string, signal: AbortSignal): Promise<void> {
  const { clock, cri } = context
  const began = clock.now()
  const left = (): number => Math.max(0, graceSeconds - Math.floor((clock.now() - began) / 1000))
  const live = runtime.containers.filter((r) => r.state === 'running' || r.state === 'unknown')
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map((c) => c.name)
  const stop = (record: ContainerRecord): Promise<void> =>
    killContainer(context, pod, record, { message: `Stopping container ${record.name}`, graceSeconds: left(), podIp, signal })

  let previous = Promise.allSettled(live.filter((r) => !sidecars.includes(r.name)).map(stop)).then(collect)
  const all: Promise<void>[] = [previous]
  for (const name of sidecars.toReversed()) {
    const records = live.filter((r) => r.name === name)
    if (records.length === 0) continue
    const after = previous
    previous = untilOrGrace(after, left() * 1000, signal).then(() => Promise.allSettled(records.map(stop))).then(collect)
    all.push(previous)
  }
  collect(await Promise.allSettled(all))
  for (const sandbox of runtime.sandboxes) {
    // Stopping a stopped sandbox again is harmless, and makes sure that its network is gone.
    try {
      await cri.stopPodSandbox({ podSandboxId: sandbox.id }, { signal })
    } catch (error) {
      if (!isCriError(error, 'NotFound')) throw error
    }
  }
}

function collect(results: readonly PromiseSettledResult<void>[]): void {
  const failed = results.find((r) => r.status === 'rejected')
  if (failed) throw failed.reason
}

async function untilOrGrace(done: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    done.catch(() => {}),
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
      signal.addEventListener('abort', () => resolve(), { once: true })
    }),
  ])
  clearTimeout(timer)
}
