import type { Deployment, ReplicaSet } from '@berth/api/types/apps/v1'
import { maxReplicasAnnotation, numberAnnotation } from './annotations.ts'

/** What a Deployment wants, with the defaults of absent fields. */
export function desiredReplicas(deployment: Deployment): number {
  return deployment.spec.replicas ?? 1
}

export function setReplicas(set: ReplicaSet): number {
  return set.spec.replicas ?? 1
}

export function isRollingUpdate(deployment: Deployment): boolean {
  return (deployment.spec.strategy?.type ?? 'RollingUpdate') === 'RollingUpdate'
}

function scaled(value: number | string | undefined, total: number, roundUp: boolean): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const percent = Number(value.replace(/%$/, '')) * total / 100
  return roundUp ? Math.ceil(percent) : Math.floor(percent)
}

/** Upstream's ResolveFenceposts: a surge rounds up, unavailability down, and they are never both zero. */
export function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const total = desiredReplicas(deployment)
  const rolling = deployment.spec.strategy?.rollingUpdate
  const surge = scaled(rolling?.maxSurge, total, true)
  const unavailable = scaled(rolling?.maxUnavailable, total, false)
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

export function maxSurge(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0
}

export function maxUnavailable(deployment: Deployment): number {
  const total = desiredReplicas(deployment)
  if (!isRollingUpdate(deployment) || total === 0) return 0
  return Math.min(fenceposts(deployment).unavailable, total)
}

export function sum(sets: readonly (ReplicaSet | undefined)[], of: (set: ReplicaSet) => number | undefined): number {
  return sets.reduce((total, set) => total + (set === undefined ? 0 : of(set) ?? 0), 0)
}

export function isActive(set: ReplicaSet): boolean {
  return setReplicas(set) > 0
}

export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const timeA = a.metadata.creationTimestamp ?? ''
  const timeB = b.metadata.creationTimestamp ?? ''
  if (timeA !== timeB) return timeA < timeB ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

/** How many replicas the new set should have now: as many as wanted, but no more pods in all than the surge allows. */
export function newSetReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = desiredReplicas(deployment)
  if (!isRollingUpdate(deployment)) return wanted
  const room = wanted + maxSurge(deployment) - sum(all, setReplicas)
  return room <= 0 ? current : current + Math.min(room, wanted - current)
}

/** A new size for a set. */
export interface Resize {
  set: ReplicaSet
  replicas: number
}

/**
 * How old sets shrink in a rolling update: first their unhealthy pods go, then as many healthy ones as `maxUnavailable` leaves. Gives sizes in
 * the order to write them.
 */
export function shrinkOldSets(deployment: Deployment, newSet: ReplicaSet | undefined, old: readonly ReplicaSet[]): Resize[] {
  if (sum(old, setReplicas) === 0) return []
  const minAvailable = desiredReplicas(deployment) - maxUnavailable(deployment)
  const newUnavailable = newSet === undefined ? 0 : setReplicas(newSet) - (newSet.status?.availableReplicas ?? 0)
  const most = sum(old, setReplicas) + (newSet === undefined ? 0 : setReplicas(newSet)) - minAvailable - newUnavailable
  if (most <= 0) return []
  const sizes = new Map(old.map((set) => [set, setReplicas(set)]))
  const ordered = old.toSorted(byCreation)

  let cleaned = 0
  for (const set of ordered) {
    const unhealthy = setReplicas(set) - (set.status?.availableReplicas ?? 0)
    const drop = Math.min(most - cleaned, unhealthy)
    if (drop <= 0) continue
    cleaned += drop
    sizes.set(set, setReplicas(set) - drop)
  }
  let left = sum([...old, newSet], (set) => set.status?.availableReplicas) - minAvailable
  for (const set of ordered) {
    const size = sizes.get(set) ?? 0
    const drop = Math.min(left, size)
    if (drop <= 0) continue
    left -= drop
    sizes.set(set, size - drop)
  }
  return ordered.filter((set) => sizes.get(set) !== setReplicas(set)).map((set) => ({ set, replicas: sizes.get(set) ?? 0 }))
}

/**
 * How active sets share a new size of their Deployment in the middle of a rollout (proportional scaling): each by its part of what there was, the
 * largest takes what rounding leaves.
 */
export function proportionalSizes(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const wanted = desiredReplicas(deployment)
  const allowed = wanted > 0 ? wanted + maxSurge(deployment) : 0
  const toAdd = allowed - sum(active, setReplicas)
  // Growing: newest first among equals; shrinking: oldest first.
  const ordered = active.toSorted((a, b) => setReplicas(b) - setReplicas(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)))
  let added = 0
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 ? 0 : proportion(deployment, set, toAdd, added)
    added += share
    return { set, replicas: setReplicas(set) + share }
  })
  const [first] = sizes
  if (first !== undefined && toAdd !== 0) first.replicas = Math.max(0, first.replicas + toAdd - added)
  return sizes
}

function proportion(deployment: Deployment, set: ReplicaSet, toAdd: number, added: number): number {
  if (setReplicas(set) === 0 || toAdd === added) return 0
  const share = fraction(deployment, set)
  return toAdd > 0 ? Math.min(share, toAdd - added) : Math.max(share, toAdd - added)
}

function fraction(deployment: Deployment, set: ReplicaSet): number {
  const size = setReplicas(set)
  if (desiredReplicas(deployment) === 0) return -size
  const annotated = numberAnnotation(set, maxReplicasAnnotation)
  const before = annotated !== undefined && annotated > 0 ? annotated : deployment.status?.replicas ?? 0
  if (before === 0) return 0
  return Math.round(size * (desiredReplicas(deployment) + maxSurge(deployment)) / before) - size
}
