import type { Plugin } from '../framework/plugin.ts'

const words: Readonly<Record<string, string>> = {
  NodeAdded: 'a node is added',
  NodeAllocatableChanged: 'a node gets more resources',
  NodeLabelsChanged: 'a node\'s labels change',
  NodeTaintsChanged: 'a node\'s taints change',
  NodeDeleted: 'a node is removed',
  AssignedPodAdded: 'a pod comes to a node',
  AssignedPodUpdated: 'a placed pod changes',
  AssignedPodDeleted: 'a pod leaves a node',
  UnscheduledPodUpdated: 'the pod itself is changed',
  NamespaceChanged: 'a namespace\'s labels change',
}

const verbs: readonly (readonly [string, string])[] = [['Added', 'is added'], ['Updated', 'is changed'], ['Deleted', 'is removed']]

/** An event in words: `a PersistentVolumeClaim is added`. */
function eventWords(event: string): string {
  const known = words[event]
  if (known !== undefined) return known
  for (const [suffix, verb] of verbs) if (event.endsWith(suffix)) return `a ${event.slice(0, -suffix.length)} ${verb}`
  return event
}

/** The events after which the scheduler tries again a pod that these plugins rejected. */
export function helpfulEvents(plugins: readonly Plugin[], rejectedBy: ReadonlySet<string>): string[] {
  const helps: string[] = []
  for (const plugin of plugins) {
    if (!rejectedBy.has(plugin.name)) continue
    const events = (plugin.events?.() ?? []).map(({ event }) => eventWords(event))
    if (events.length > 0) helps.push(`${plugin.name}: ${events.join(', ')}`)
  }
  return helps
}
