import type { Container, Pod, Secret } from '@berth/api/types/core/v1'
import { type CriClient, type Image, type Init, isCriError, type PodSandboxConfig } from '@berth/cri'
import type { Clock, EventRecorder } from '@berth/kube'
import { ContainerStartError, messageOf, rpcErrorText } from '../errors.ts'
import { BackOff, goDuration } from '../pods/back-off.ts'
import { containerReference } from '../workers/references.ts'
import { credentialsFor } from './keyring.ts'
import { defaultPullPolicy, parseImage } from './reference.ts'

/** Image pulls, one at a time or a bounded number at once, with back-off per image. */
export interface ImageManager {
  /** The image as the runtime knows it, pulled where its policy says so. Throws a ContainerStartError that says why it cannot be had. */
  ensure(pod: Pod, container: Container, secrets: readonly Secret[], sandbox: Init<PodSandboxConfig>, signal: AbortSignal): Promise<Image>
  /** When an image was last wanted (ms), by its ID in the runtime. */
  readonly lastUsed: ReadonlyMap<string, number>
}

export interface ImageManagerOptions {
  cri: CriClient
  recorder: EventRecorder
  clock: Clock
  /** 1 when pulls are serialized; 0 for no bound. */
  maxParallelPulls: number
  /** Milliseconds a pull may last without an end; the runtime has a deadline of its own for one without progress. */
  pullTimeoutMs?: number
}

const firstBackOffMs = 10_000
const maxBackOffMs = 300_000

export function createImageManager(options: ImageManagerOptions): ImageManager {
  const { cri, recorder, clock } = options
  const backOff = new BackOff(firstBackOffMs, maxBackOffMs)
  const gate = createGate(options.maxParallelPulls)
  const lastUsed = new Map<string, number>()
  /** The last pull's failure, for the message of the back-off that follows it. */
  const lastFailures = new Map<string, string>()

  const find = async (image: string): Promise<Image | undefined> => {
    const found = (await cri.imageStatus({ image: { image } })).image
    if (found) lastUsed.set(found.id, clock.now())
    return found
  }

  const pull = async (image: string, secrets: readonly Secret[], sandbox: Init<PodSandboxConfig>, signal: AbortSignal): Promise<string> => {
    const candidates = credentialsFor(image, secrets)
    let failure: unknown
    for (const auth of candidates.length > 0 ? candidates : [undefined]) {
      try {
        const { imageRef } = await cri.pullImage({ image: { image, userSpecifiedImage: image }, sandboxConfig: sandbox, ...(auth ? { auth } : {}) }, { timeoutMs: options.pullTimeoutMs ?? 0, signal })
        return imageRef
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  return {
    lastUsed,
    ensure: async (pod, container, secrets, sandbox, signal) => {
      const name = container.image ?? ''
      const event = (type: 'Normal' | 'Warning', reason: string, message: string): void => recorder.event(containerReference(pod, container.name), type, reason, message)
      let image: string
      try {
        image = parseImage(name).full
      } catch (error) {
        const message = `Failed to apply default image tag "${name}": ${messageOf(error)}`
        event('Warning', 'InspectFailed', message)
        throw new ContainerStartError('InvalidImageName', message, error)
      }
      const policy = container.imagePullPolicy ?? defaultPullPolicy(name)
      let present: Image | undefined
      try {
        present = await find(image)
      } catch (error) {
        const message = `Failed to inspect image "${image}": ${messageOf(error)}`
        event('Warning', 'InspectFailed', message)
        throw new ContainerStartError('ImageInspectError', message, error)
      }
      if (present && policy !== 'Always') {
        event('Normal', 'Pulled', `Container image "${name}" already present on machine and can be accessed by the pod`)
        return present
      }
      if (policy === 'Never') {
        const message = `Container image "${name}" is not present with pull policy of Never`
        event('Warning', 'ErrImageNeverPull', message)
        throw new ContainerStartError('ErrImageNeverPull', message)
      }
      const key = `${pod.metadata.uid ?? ''}_${image}`
      if (backOff.remainingSinceUpdate(key, clock.now()) > 0) {
        const message = `Back-off pulling image "${name}"`
        event('Normal', 'BackOff', message)
        throw new ContainerStartError('ImagePullBackOff', `${message}: ${lastFailures.get(key) ?? 'ErrImagePull'}`)
      }
      event('Normal', 'Pulling', `Pulling image "${name}"`)
      const asked = clock.now()
      const release = await gate.enter(signal)
      const began = clock.now()
      try {
        const ref = await pull(image, secrets, sandbox, signal)
        const pulled = (await find(ref)) ?? (await find(image))
        if (!pulled) throw new Error(`image "${image}" is not there after it was pulled`)
        backOff.reset(key)
        lastFailures.delete(key)
        const now = clock.now()
        event('Normal', 'Pulled', `Successfully pulled image "${name}" in ${goDuration(now - began)} (${goDuration(now - asked)} including waiting). Image size: ${pulled.size} bytes.`)
        return pulled
      } catch (error) {
        if (signal.aborted) throw error
        // The code Unknown says nothing and is left out, as upstream's client does.
        const message = isCriError(error, 'Unknown') ? error.message : rpcErrorText(error)
        event('Warning', 'Failed', `Failed to pull image "${name}": ${message}`)
        backOff.next(key, clock.now(), clock.now())
        backOff.collect(clock.now())
        lastFailures.set(key, `ErrImagePull: ${message}`)
        throw new ContainerStartError('ErrImagePull', message, error)
      } finally {
        release()
      }
    },
  }
}

/** Lets at most `limit` in at once, in the order they came; 0 lets everybody in. */
function createGate(limit: number): { enter(signal: AbortSignal): Promise<() => void> } {
  let inside = 0
  const waiting: (() => void)[] = []
  return {
    enter: async (signal) => {
      while (limit > 0 && inside >= limit) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
        signal.throwIfAborted()
      }
      inside++
      return () => {
        inside--
        waiting.shift()?.()
      }
    },
  }
}
