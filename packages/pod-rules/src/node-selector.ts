import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '@berth/api/types/core/v1'

/** The part of a node that node selectors look at. */
export interface SelectableNode {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
}

function integer(text: string): bigint | undefined {
  return /^[+-]?\d+$/.test(text) ? BigInt(text) : undefined
}

function requirementMatches({ key, operator, values = [] }: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    case 'Gt':
    case 'Lt': {
      const own = value === undefined ? undefined : integer(value)
      const bound = values[0] === undefined ? undefined : integer(values[0])
      if (own === undefined || bound === undefined) return false
      return operator === 'Gt' ? own > bound : own < bound
    }
    default: return false
  }
}

/**
 * Whether a node fulfils one term: all of its expressions and fields (of which only `metadata.name` exists). A term
 * without any matches nothing, as in upstream's component-helpers nodeaffinity.
 */
export function nodeSelectorTermMatches(term: NodeSelectorTerm, node: SelectableNode): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return expressions.every((r) => requirementMatches(r, labels)) && fields.every((r) => requirementMatches(r, { 'metadata.name': node.metadata.name }))
}

/** Whether a node fulfils one of a selector's terms. */
export function nodeSelectorMatches(selector: NodeSelector, node: SelectableNode): boolean {
  return selector.nodeSelectorTerms.some((term) => nodeSelectorTermMatches(term, node))
}

/** Whether a node fulfils a pod's `nodeSelector` and required node affinity (core/v1 PodSpec). */
export function requiredNodeAffinityMatches(pod: Pick<Pod, 'spec'>, node: Pick<Node, 'metadata'>): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) {
    if (labels[key] !== value) return false
  }
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required === undefined || nodeSelectorMatches(required, node)
}
