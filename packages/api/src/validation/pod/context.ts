import type { Container, EphemeralContainer, PodSpec, Volume } from '../../types/core/v1.ts'

/** What checks of a pod's parts need to know of the whole. */
export interface PodContext {
  /** True for a Pod, false for a template in another kind. */
  readonly isPod: boolean
  /** Whether the API server allows privileged containers (`--allow-privileged`). */
  readonly allowPrivileged: boolean
  readonly gracePeriodSeconds: number | undefined
  readonly hostUsers: boolean
  readonly restartPolicy: string
  /** Well-formed volumes by name. */
  readonly volumes: ReadonlyMap<string, Volume>
  readonly claimNames: ReadonlySet<string>
}

/** A container of any kind, as far as checks treat them alike. */
export type AnyContainer = Container | EphemeralContainer

/** All containers with their paths, in upstream's order: init, regular, ephemeral. */
export function containersWithPaths(spec: PodSpec, path: string): { container: AnyContainer; path: string }[] {
  return (['initContainers', 'containers', 'ephemeralContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, i) => ({ container, path: `${path}.${list}[${i}]` })))
}

/** True for a sidecar: an init container that restarts always. */
export const isSidecar = (container: AnyContainer): boolean => 'restartPolicy' in container && container.restartPolicy === 'Always'
