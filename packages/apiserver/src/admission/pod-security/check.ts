import type { Container, EphemeralContainer, ObjectMeta, PodSpec } from './types.ts'

/** A pod as the Pod Security Standards look at it: of a Pod, or the template of a workload. */
export interface Checked {
  readonly metadata: ObjectMeta
  readonly spec: PodSpec
}

/** Why a check forbids a pod: what, and where. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

/** One control of the Pod Security Standards. */
export interface Check {
  /** Upstream's id; messages come in its order. */
  readonly id: string
  /** The baseline check that this restricted one stands in for. */
  readonly replaces?: string
  check(pod: Checked): Violation | undefined
}

/** All containers of a pod, init containers first, as upstream visits them. */
export function containersOf(spec: PodSpec): (Container | EphemeralContainer)[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
}

/** `"a", "b"`. */
export function quoted(values: readonly string[]): string {
  return values.map((v) => JSON.stringify(v)).join(', ')
}

/** `container "a"` or `containers "a", "b"`. */
export function named(kind: string, names: readonly string[]): string {
  return `${kind}${names.length === 1 ? '' : 's'} ${quoted(names)}`
}

/** The names of the containers for which something holds. */
export function containersThat(pod: Checked, holds: (container: Container | EphemeralContainer) => boolean): string[] {
  return containersOf(pod.spec).filter(holds).map((c) => c.name)
}

/** A violation that names containers, where there are any. */
export function violationBy(reason: string, names: readonly string[], must: string): Violation | undefined {
  return names.length === 0 ? undefined : { reason, detail: `${named('container', names)} ${must}` }
}

/** Windows pods are exempt from what only Linux has. */
export const isWindows = (pod: Checked): boolean => pod.spec.os?.name === 'windows'

export const distinctSorted = (values: readonly string[]): string[] => [...new Set(values)].sort()
