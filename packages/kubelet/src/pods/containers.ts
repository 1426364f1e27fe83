import { createHash } from 'node:crypto'
import type { Container, EphemeralContainer, Pod } from '@berth/api/types/core/v1'
import type { ContainerRecord } from '../runtime/records.ts'

/** Which list of the pod's spec a container stands in. */
export type ContainerKind = 'init' | 'container' | 'ephemeral'

export interface PodContainer {
  kind: ContainerKind
  index: number
  spec: Container
}

/** A sidecar: an init container that stays (`restartPolicy: Always`). */
export const isSidecar = (c: Container): boolean => c.restartPolicy === 'Always'

/** Every container of the pod, in the order they start. */
export function allContainers(pod: Pod): PodContainer[] {
  const of = (kind: ContainerKind, list: readonly (Container | EphemeralContainer)[] | undefined): PodContainer[] =>
    (list ?? []).map((spec, index) => ({ kind, index, spec: spec as Container }))
  return [...of('init', pod.spec.initContainers), ...of('container', pod.spec.containers), ...of('ephemeral', pod.spec.ephemeralContainers)]
}

export const findContainer = (pod: Pod, name: string): PodContainer | undefined => allContainers(pod).find((c) => c.spec.name === name)

/** name_namespace(uid), the way upstream prints a pod in messages. */
export const formatPod = (pod: Pod): string => `${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid ?? ''})`

export const podKey = (pod: Pod): string => `${pod.metadata.namespace ?? ''}/${pod.metadata.name}`

const stable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(stable)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, stable(v)]))
}

/** JSON with sorted keys: equal objects give equal text. */
export const stableJson = (value: unknown): string => JSON.stringify(stable(value))

/**
 * The hash of what must not change under a running container. As upstream since 1.31 it covers name and image only: the rest of the
 * spec is immutable through the API, and a kubelet of another version must not restart containers because a default was added.
 */
export function containerHash(c: Container): string {
  return createHash('sha256').update(JSON.stringify({ name: c.name, image: c.image ?? '' })).digest('hex').slice(0, 8)
}

const decideByPolicy = (policy: string | undefined, exitCode: number): boolean => (policy === 'Never' ? false : policy === 'OnFailure' ? exitCode !== 0 : true)

/** Whether an exited container starts again: its own rules, then its own policy, then the pod's. */
export function restartsAfterExit(pod: Pod, c: Container, exitCode: number): boolean {
  for (const rule of c.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? []
    const hit = rule.exitCodes?.operator === 'NotIn' ? !values.includes(exitCode) : rule.exitCodes?.operator === 'In' && values.includes(exitCode)
    if (hit && rule.action === 'Restart') return true
  }
  return decideByPolicy(c.restartPolicy ?? pod.spec.restartPolicy ?? 'Always', exitCode)
}

/** Whether the container has to be started, given its newest instance. */
export function shouldStart(pod: Pod, c: Container, record: ContainerRecord | undefined): boolean {
  if (pod.metadata.deletionTimestamp) return false
  if (!record) return true
  if (record.state === 'running') return false
  if (record.state !== 'exited') return true
  return restartsAfterExit(pod, c, record.exitCode)
}
