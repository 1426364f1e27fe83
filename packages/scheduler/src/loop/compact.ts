import type { Pod } from '@berth/api/types/core/v1'

/** What pods of one template have in common is kept once: by its text, bounded, since templates come and go. */
const known = new Map<string, unknown>()
const knownLimit = 20_000

function once<T>(value: T): T {
  if (value === undefined || value === null) return value
  const text = JSON.stringify(value)
  const found = known.get(text)
  if (found !== undefined) return found as T
  if (known.size >= knownLimit) known.clear()
  known.set(text, value)
  return value
}

const specFields = ['containers', 'initContainers', 'nodeSelector', 'affinity', 'tolerations', 'topologySpreadConstraints', 'overhead', 'resources', 'schedulerName', 'priorityClassName'] as const
const metadataFields = ['namespace', 'labels', 'ownerReferences'] as const

/** Lets a pod share with others of its template what is equal in them. In place; the parts that are shared are never changed. */
export function compactPod(pod: Pod): Pod {
  const { metadata, spec } = pod as unknown as { metadata: Record<string, unknown>; spec: Record<string, unknown> }
  for (const field of specFields) if (spec[field] !== undefined) spec[field] = once(spec[field])
  for (const field of metadataFields) if (metadata[field] !== undefined) metadata[field] = once(metadata[field])
  return pod
}
