import { isDeepStrictEqual } from 'node:util'
import { core } from '@berth/api'
import type { TokenRequest } from '@berth/api/types/authentication/v1'
import type { Node, Pod } from '@berth/api/types/core/v1'
import { nodeIdentity } from '../authorization/node/node-authorizer.ts'
import { referencesOf } from '../authorization/node/node-references.ts'
import type { AdmissionAttributes, AdmissionPlugin, ResourceStore } from '../interfaces.ts'
import { changedForbiddenLabels } from './node-labels.ts'
import { mirrorPodAnnotation, refuse } from './pods.ts'

/** Holds a node to itself: its own Node and Lease, mirror pods on itself, the status of pods bound to it, tokens for those pods. */
export function nodeRestriction(store: ResourceStore): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    handles: (operation) => operation !== 'CONNECT',
    validate(attributes) {
      const node = nodeIdentity(attributes.user)
      if (node === undefined) return
      if (node === '') throw refuse(attributes, `could not determine node from user ${JSON.stringify(attributes.user.name)}`)
      const check: Check = { attributes, node, store, q: JSON.stringify(node) }
      switch (`${attributes.resource.group}/${attributes.resource.resource}`) {
        case '/pods': return checkPods(check)
        case '/nodes': return checkNode(check)
        case '/serviceaccounts': return attributes.subresource === 'token' ? checkToken(check) : undefined
        case 'coordination.k8s.io/leases': return checkLease(check)
      }
    },
  }
}

interface Check {
  attributes: AdmissionAttributes
  node: string
  store: ResourceStore
  q: string
}

function checkPods(check: Check): void {
  const { attributes, node, store, q } = check
  const live = (): Pod | undefined => store.get(core.pods, attributes.name, attributes.namespace)
  switch (`${attributes.subresource}:${attributes.operation}`) {
    case ':CREATE': return checkMirrorPod(check, attributes.object as unknown as Pod)
    case ':DELETE': {
      const pod = (attributes.oldObject as unknown as Pod | undefined) ?? live()
      if (pod?.spec?.nodeName !== node) throw refuse(attributes, `node ${q} can only delete pods with spec.nodeName set to itself`)
      return
    }
    case 'status:UPDATE': {
      const old = attributes.oldObject as unknown as Pod
      if (old.spec?.nodeName !== node) throw refuse(attributes, `node ${q} can only update pod status for pods with spec.nodeName set to itself`)
      if (!isDeepStrictEqual(old.metadata.labels ?? {}, attributes.object?.metadata.labels ?? {})) throw refuse(attributes, `node ${q} cannot update labels through pod status`)
      return
    }
    case 'eviction:CREATE':
      if (live()?.spec?.nodeName !== node) throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`)
      return
  }
  if (attributes.subresource === '') throw refuse(attributes, `unexpected operation ${JSON.stringify(attributes.operation)}, node ${q} can only create and delete mirror pods`)
  throw refuse(attributes, `unexpected pod subresource ${JSON.stringify(attributes.subresource)}, only 'status' and 'eviction' are allowed`)
}

function checkMirrorPod(check: Check, pod: Pod): void {
  const { attributes, node, store, q } = check
  if (pod.metadata.annotations?.[mirrorPodAnnotation] === undefined) throw refuse(attributes, `pod does not have ${JSON.stringify(mirrorPodAnnotation)} annotation, node ${q} can only create mirror pods`)
  if (pod.spec?.nodeName !== node) throw refuse(attributes, `node ${q} can only create pods with spec.nodeName set to itself`)
  const [owner, ...more] = pod.metadata.ownerReferences ?? []
  if (more.length > 0) throw refuse(attributes, `node ${q} can only create pods with a single owner reference set to itself`)
  if (owner) {
    if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) throw refuse(attributes, `node ${q} can only create pods with an owner reference set to itself`)
    if (owner.controller !== true) throw refuse(attributes, `node ${q} can only create pods with a controller owner reference set to itself`)
    if (owner.blockOwnerDeletion) throw refuse(attributes, `node ${q} must not set blockOwnerDeletion on an owner reference`)
    const uid = store.get(core.nodes, node)?.metadata.uid
    if (uid === undefined || uid !== owner.uid) throw refuse(attributes, `node ${q} UID mismatch: expected ${owner.uid} got ${uid ?? ''}`)
  }
  const { annotations: _, ...metadata } = pod.metadata
  for (const reference of referencesOf({ ...pod, metadata })) {
    const kind = reference.split('/')[0] ?? ''
    if (kind === 'serviceaccount') throw refuse(attributes, `node ${q} can not create pods that reference a service account`)
    if (kind !== 'pod') throw refuse(attributes, `node ${q} can not create pods that reference ${kind}s`)
  }
}

function checkNode(check: Check): void {
  const { attributes, node, q } = check
  const name = attributes.name || attributes.object?.metadata.name || ''
  if (name !== node) throw refuse(attributes, `node ${q} is not allowed to modify node ${JSON.stringify(name)}`)
  const object = attributes.object as unknown as Node | undefined
  const old = attributes.oldObject as unknown as Node | undefined
  if (attributes.operation === 'CREATE' && object) {
    const labels = changedForbiddenLabels(object.metadata.labels, {})
    if (labels.length > 0) throw refuse(attributes, `node ${q} is not allowed to set the following labels: ${labels.join(', ')}`)
    if (object.metadata.ownerReferences?.length) throw refuse(attributes, `node ${q} is not allowed to set ownerReferences on itself`)
  }
  if (attributes.operation === 'UPDATE' && object && old) {
    if (!isDeepStrictEqual(object.spec?.taints ?? [], old.spec?.taints ?? [])) throw refuse(attributes, `node ${q} is not allowed to modify taints`)
    const labels = changedForbiddenLabels(object.metadata.labels, old.metadata.labels)
    if (labels.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${labels.join(', ')}`)
    if (!isDeepStrictEqual(object.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? [])) throw refuse(attributes, `node ${q} is not allowed to modify ownerReferences`)
  }
}

function checkToken(check: Check): void {
  const { attributes, node, store } = check
  const request = attributes.object as unknown as TokenRequest
  const ref = request.spec.boundObjectRef
  if (!ref || ref.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) throw refuse(attributes, 'node requested token not bound to a pod')
  if (!ref.uid) throw refuse(attributes, 'node requested token with a pod binding without a uid')
  const pod = store.get(core.pods, ref.name, attributes.namespace)
  if (!pod) throw refuse(attributes, `pod ${JSON.stringify(ref.name)} not found`)
  if (pod.metadata.uid !== ref.uid) throw refuse(attributes, `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`)
  if (pod.spec?.nodeName !== node) throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node')
  const mounted = new Set((pod.spec.volumes ?? []).flatMap((v) => v.projected?.sources ?? []).flatMap((s) => (s.serviceAccountToken ? [s.serviceAccountToken.audience ?? ''] : [])))
  const asked = request.spec.audiences?.length ? request.spec.audiences : ['']
  const stranger = asked.find((audience) => !mounted.has(audience))
  if (stranger !== undefined) throw refuse(attributes, `audience ${JSON.stringify(stranger)} not found in pod spec volume`)
}

function checkLease(check: Check): void {
  const { attributes, node } = check
  const name = attributes.name || attributes.object?.metadata.name || ''
  if (attributes.namespace !== 'kube-node-lease') throw refuse(attributes, 'can only access leases in the "kube-node-lease" system namespace')
  if (name !== node) throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
}
