import { scheduling } from '@berth/api'
import { isForbidden, type KubeClient } from '@berth/kube'

/** The classes that every cluster has (kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods). */
const builtIn: readonly (readonly [string, number])[] = [['system-cluster-critical', 2_000_000_000], ['system-node-critical', 2_000_001_000]]

/** What the pods of a manifest would get as priority by class; '' is what a pod without one gets. Classes that may not be read are left out. */
export async function prioritiesFor(client: KubeClient, documents: readonly unknown[]): Promise<Map<string, number>> {
  const priorities = new Map(builtIn)
  const inManifest = documents.filter((document): document is { metadata: { name: string }; value: number } => (document as { kind?: unknown } | null)?.kind === 'PriorityClass')
  try {
    const { items } = await client.list(scheduling.priorityclasses, {})
    for (const { metadata, value, globalDefault } of items) {
      priorities.set(metadata.name, value ?? 0)
      if (globalDefault) priorities.set('', value ?? 0)
    }
  } catch (error) {
    if (!isForbidden(error)) throw error
  }
  for (const { metadata, value } of inManifest) priorities.set(metadata.name, value)
  return priorities
}
