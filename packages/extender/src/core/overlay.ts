import { NodeInfo, projectNode, type Cache, type Snapshot } from '@berth/scheduler/parts'
import type { SentNode } from '../wire/sent-node.ts'

/**
 * The nodes that were sent, as plugins read them, and the cluster around them. A node that the cache knows in the very
 * version that was sent is the cache's; another one is taken as sent, with the pods that the cache has on it.
 */
export function withSentNodes(cache: Cache, sent: readonly SentNode[]): { nodes: NodeInfo[]; snapshot: Snapshot; differing: number } {
  const replaced = new Map<string, NodeInfo>()
  const nodes = sent.map((each) => {
    const known = cache.node(each.name)
    if (known && each.resourceVersion !== '' && known.node.metadata.resourceVersion === each.resourceVersion && known.node.metadata.uid === each.uid) return known
    const info = new NodeInfo(projectNode(each.node))
    for (const pod of known?.pods.values() ?? []) info.addPod(pod)
    replaced.set(each.name, info)
    return info
  })
  return { nodes, snapshot: replaced.size === 0 ? cache : overlay(cache, replaced), differing: replaced.size }
}

/** The cluster with some nodes as others see them. */
function overlay(cache: Snapshot, replaced: ReadonlyMap<string, NodeInfo>): Snapshot {
  const nodes = cache.nodes.map((node) => replaced.get(node.name) ?? node)
  for (const [name, node] of replaced) if (!cache.node(name)) nodes.push(node)
  // Everything else is the cache's own; its methods keep it as their receiver.
  return new Proxy(cache, {
    get(target, property) {
      if (property === 'nodes') return nodes
      if (property === 'node') return (name: string) => replaced.get(name) ?? target.node(name)
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}
