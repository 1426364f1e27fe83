import type { ClusterOptions, HollowNodeOptions, NodeOptions, RealNodeOptions } from '../options.ts'
import { defaultCapacity, type HollowNode } from './hollow/node-object.ts'

/** The nodes of a cluster: what each is called, and what it is. */
export interface NodePlan {
  readonly hollow: readonly HollowNode[]
  readonly real: readonly (RealNodeOptions & { readonly name: string })[]
}

/** Names the nodes that are wished for and says what they are. Throws where a name or a runtime is taken twice, or a count is none. */
export function planNodes(nodes: ClusterOptions['nodes']): NodePlan {
  const wished: readonly NodeOptions[] = nodes === undefined ? [] : typeof nodes === 'number' ? [{ count: nodes }] : Array.isArray(nodes) ? nodes as readonly NodeOptions[] : [nodes as NodeOptions]
  const names = new Set<string>()
  const next = new Map<string, number>()
  const numbered = (prefix: string): string => {
    const number = (next.get(prefix) ?? 0) + 1
    next.set(prefix, number)
    return `${prefix}-${number}`
  }
  const taken = (name: string): string => {
    if (names.has(name)) throw new Error(`two nodes are called ${name}`)
    names.add(name)
    return name
  }
  const real: NodePlan['real'][number][] = []
  const hollow: NodePlan['hollow'][number][] = []
  for (const each of wished) {
    if (each.kind === 'real') {
      if (real.some(({ runtimeEndpoint }) => runtimeEndpoint === each.runtimeEndpoint)) throw new Error(`two nodes cannot share the runtime at ${each.runtimeEndpoint}`)
      real.push({ ...each, name: taken(each.name ?? numbered('node')) })
    } else for (let left = countOf(each); left > 0; left -= 1) hollow.push(hollowNode(each, taken(numbered(each.name ?? 'node')), hollow.length))
  }
  return { hollow, real }
}

function countOf({ count = 1 }: HollowNodeOptions): number {
  if (!Number.isInteger(count) || count < 0 || count > 30_000) throw new Error(`nodes: ${count} is not a number of nodes`)
  return count
}

function hollowNode({ labels = {}, taints = [], capacity = {}, jobs = 'complete' }: HollowNodeOptions, name: string, index: number): NodePlan['hollow'][number] {
  return { name, address: `172.31.${Math.floor((index + 1) / 250)}.${((index + 1) % 250) + 1}`, labels, taints, capacity: { ...defaultCapacity, ...capacity }, jobs }
}
