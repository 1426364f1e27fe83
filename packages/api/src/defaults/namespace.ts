import type { Namespace } from '../types/core/v1.ts'

/** Every namespace carries its name as a label, and is active. */
export function defaultNamespace(namespace: Namespace): void {
  const { metadata } = namespace
  if (metadata?.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  namespace.status ??= {}
  namespace.status.phase ||= 'Active'
}
