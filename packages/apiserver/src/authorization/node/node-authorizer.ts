import type { PolicyRule } from '@berth/api/types/rbac/v1'
import type { AuthorizationAttributes, AuthorizationDecision, Authorizer, UserInfo } from '../../interfaces.ts'
import { ruleAllows } from '../rbac/rules.ts'
import type { NodeReferences, ReferencedKind } from './node-references.ts'

const userPrefix = 'system:node:'

/** The node that a user is: its name ('' where the user name does not say), or undefined for users that are no nodes. */
export function nodeIdentity(user: UserInfo): string | undefined {
  return user.groups.includes('system:nodes') ? (user.name.startsWith(userPrefix) ? user.name.slice(userPrefix.length) : undefined) : undefined
}

const allow: AuthorizationDecision = { decision: 'allow', reason: '' }
const noOpinion = (reason: string): AuthorizationDecision => ({ decision: 'noOpinion', reason })

/**
 * What a node may do: read its own Node and Lease, the pods bound to it and what they refer to, make tokens for their service accounts; for
 * everything else the static rules of the role `system:node`. Other users get no opinion. Reasons are upstream's.
 */
export class NodeAuthorizer implements Authorizer {
  readonly #references: NodeReferences
  readonly #rules: readonly PolicyRule[]

  constructor(references: NodeReferences, rules: readonly PolicyRule[]) {
    this.#references = references
    this.#rules = rules
  }

  authorize(asked: AuthorizationAttributes): AuthorizationDecision {
    const node = nodeIdentity(asked.user)
    if (node === undefined) return noOpinion('')
    if (node === '') return noOpinion(`unknown node for user ${JSON.stringify(asked.user.name)}`)
    if (asked.resourceRequest) {
      switch (`${asked.apiGroup}/${asked.resource}`) {
        case '/secrets': return this.#readReferenced(node, 'secret', asked)
        case '/configmaps': return this.#readReferenced(node, 'configmap', asked)
        case '/persistentvolumeclaims': return this.#get(node, 'persistentvolumeclaim', asked)
        case '/persistentvolumes': return this.#get(node, 'persistentvolume', asked)
        case 'storage.k8s.io/volumeattachments': return this.#get(node, 'volumeattachment', asked)
        case '/serviceaccounts': return this.#serviceAccount(node, asked)
        case '/nodes': return readOwnNode(node, asked)
        case '/pods': return this.#pods(node, asked)
        case 'coordination.k8s.io/leases': return ownLease(node, asked)
        case 'storage.k8s.io/csinodes': return ownCsiNode(node, asked)
      }
    }
    return this.#rules.some((rule) => ruleAllows(rule, asked)) ? allow : noOpinion('')
  }

  #readReferenced(node: string, kind: ReferencedKind, asked: AuthorizationAttributes): AuthorizationDecision {
    if (!['get', 'list', 'watch'].includes(asked.verb)) return noOpinion('can only read resources of this type')
    if (asked.subresource !== '') return noOpinion('cannot read subresource')
    if (asked.namespace === '') return noOpinion('can only read namespaced object of this type')
    return this.#related(node, kind, asked)
  }

  #get(node: string, kind: ReferencedKind, asked: AuthorizationAttributes): AuthorizationDecision {
    if (asked.verb !== 'get' || asked.name === '') return noOpinion('can only get individual resources of this type')
    if (asked.subresource !== '') return noOpinion('cannot get subresource')
    return this.#related(node, kind, asked)
  }

  #related(node: string, kind: ReferencedKind, asked: AuthorizationAttributes): AuthorizationDecision {
    if (asked.name === '') return noOpinion('No Object name found')
    return this.#references.has(node, kind, asked.namespace, asked.name) ? allow : noOpinion(`no relationship found between node '${node}' and this object`)
  }

  #serviceAccount(node: string, asked: AuthorizationAttributes): AuthorizationDecision {
    if (asked.verb === 'get' && asked.subresource === '') return this.#get(node, 'serviceaccount', asked)
    if (asked.verb !== 'create' || asked.name === '') return noOpinion('can only create tokens for individual service accounts')
    if (asked.subresource !== 'token') return noOpinion('can only create token subresource of serviceaccount')
    return this.#related(node, 'serviceaccount', asked)
  }

  #pods(node: string, asked: AuthorizationAttributes): AuthorizationDecision {
    const action = asked.subresource === '' ? asked.verb : `${asked.subresource}:${asked.verb}`
    switch (action) {
      case 'get': return this.#get(node, 'pod', asked)
      case 'list':
      case 'watch':
        return selectsNode(asked.fieldSelector ?? '', node) ? allow : noOpinion('can only list/watch pods with spec.nodeName field selector')
      // Which pods a node makes, deletes and evicts is the NodeRestriction admission plugin's question.
      case 'create':
      case 'delete':
      case 'status:update':
      case 'status:patch':
      case 'eviction:create':
        return allow
      default: return noOpinion('')
    }
  }
}

function selectsNode(fieldSelector: string, node: string): boolean {
  return fieldSelector.split(',').some((part) => {
    const match = /^\s*spec\.nodeName\s*==?\s*(.*?)\s*$/.exec(part)
    return match?.[1] === node
  })
}

function readOwnNode(node: string, asked: AuthorizationAttributes): AuthorizationDecision {
  const action = asked.subresource === '' ? asked.verb : `${asked.subresource}:${asked.verb}`
  switch (action) {
    // That a node writes no other Node is NodeRestriction's to see: a create names none yet.
    case 'create':
    case 'update':
    case 'patch':
    case 'status:update':
    case 'status:patch':
      return allow
    case 'get':
    case 'list':
    case 'watch':
      if (asked.name === node) return allow
      return noOpinion(asked.name === '' ? `node '${node}' cannot read all nodes, only its own Node object` : `node '${node}' cannot read '${asked.name}', only its own Node object`)
    default: return noOpinion('')
  }
}

function ownLease(node: string, asked: AuthorizationAttributes): AuthorizationDecision {
  if (!ownVerbs.has(asked.verb)) return noOpinion('can only get, create, update, patch, or delete a node lease')
  if (asked.namespace !== 'kube-node-lease') return noOpinion('can only access leases in the "kube-node-lease" system namespace')
  if (asked.verb !== 'create' && asked.name !== node) return noOpinion('can only access node lease with the same name as the requesting node')
  return allow
}

function ownCsiNode(node: string, asked: AuthorizationAttributes): AuthorizationDecision {
  if (!ownVerbs.has(asked.verb)) return noOpinion('can only get, create, update, patch, or delete a CSINode')
  if (asked.subresource !== '') return noOpinion('cannot authorize CSINode subresources')
  if (asked.verb !== 'create' && asked.name !== node) return noOpinion('can only access CSINode with the same name as the requesting node')
  return allow
}

const ownVerbs = new Set(['get', 'create', 'update', 'patch', 'delete'])
