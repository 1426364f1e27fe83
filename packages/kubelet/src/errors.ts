import { isCriError } from '@berth/cri'

/** Why a container is not started yet; becomes `state.waiting.reason`. The names are upstream's. */
export type WaitingReason =
  | 'CreateContainerConfigError' | 'CreateContainerError' | 'RunContainerError' | 'PostStartHookError' | 'PreStartHookError'
  | 'CrashLoopBackOff' | 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'ImageInspectError' | 'RegistryUnavailable'

/** A container could not be started. The worker keeps `reason` and `message` in the status until a later attempt gets further. */
export class ContainerStartError extends Error {
  readonly reason: WaitingReason
  constructor(reason: WaitingReason, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ContainerStartError'
    this.reason = reason
  }
}

/** A volume cannot be set up now. The pod waits, an event FailedMount says why, and the worker tries again. */
export class MountError extends Error {
  readonly volume: string
  constructor(volume: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'MountError'
    this.volume = volume
  }
}

/** A claim has no volume (yet). The message is upstream's, without the name of the pod's volume. */
export class ClaimError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ClaimError'
  }
}

/** What the user asked for in flags or the configuration file cannot be served. Start-up ends with this message. */
export class ConfigError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ConfigError'
  }
}

/** A runtime's error as Go prints a gRPC status. */
export const rpcErrorText = (error: unknown): string => (isCriError(error) ? `rpc error: code = ${error.code} desc = ${error.message}` : messageOf(error))

/** The text of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
