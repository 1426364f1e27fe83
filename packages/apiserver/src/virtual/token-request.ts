import { randomUUID } from 'node:crypto'
import { core } from '@berth/api'
import type { TokenRequest } from '@berth/api/types/authentication/v1'
import type { Pod, ServiceAccount } from '@berth/api/types/core/v1'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { type BoundReference, createClaims, type ServiceAccountClaims } from '../authentication/service-account-claims.ts'
import { badRequest, conflict, invalid, notFound, StatusError } from '../errors.ts'
import type { FieldErrorLike } from '../field-errors.ts'
import type { ApiObject, ResourceStore, VirtualSubresource } from '../interfaces.ts'

const defaultSeconds = 3600
const minimumSeconds = 600
const maximumSeconds = 2 ** 32
/** The life that the ServiceAccount admission plugin asks for; its tokens live a year, and warn after this (seconds). */
const projectedSeconds = 3607
const extendedSeconds = 365 * 24 * 3600

/** What tokens are made with. */
export interface TokenIssuer {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly sign: (claims: Record<string, unknown>) => string
  /** --service-account-max-token-expiration; 0: no limit. */
  readonly maxSeconds: number
  /** ms since 1970. */
  readonly now: () => number
}

/** serviceaccounts/token: issues a token that is bound to the account and, where asked, to a pod, a secret or a node. */
export function tokenRequest(store: ResourceStore, issuer: TokenIssuer): VirtualSubresource {
  return {
    parent: core.serviceaccounts,
    name: 'token',
    kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
    async create(object, context) {
      const request = object as unknown as TokenRequest
      // A body may leave out what its type always has.
      request.spec ??= { audiences: [] }
      const account = context.parent as unknown as ServiceAccount | undefined
      if (!account) throw notFound(core.serviceaccounts, context.name)
      const meta = request.metadata as ObjectMeta | undefined
      if (meta?.name && meta.name !== account.metadata.name) throw badRequest(`metadata.name: Invalid value: ${JSON.stringify(meta.name)}: must match the service account name if specified`)
      if (meta?.namespace && meta.namespace !== context.namespace) throw badRequest(`metadata.namespace: Invalid value: ${JSON.stringify(meta.namespace)}: must match the service account namespace if specified`)
      const asked = request.spec.expirationSeconds ?? defaultSeconds
      const errors = validateSpec(request, asked)
      if (errors.length > 0) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', errors)
      if (account.metadata.deletionTimestamp) throw badRequest(`service account ${context.namespace}/${account.metadata.name} is being deleted`)
      const audiences = request.spec.audiences?.length ? request.spec.audiences : [...issuer.audiences]
      const seconds = issuer.maxSeconds > 0 ? Math.min(asked, issuer.maxSeconds) : asked
      const bound = boundObjects(store, request, context.namespace, account)
      const claims = issue(issuer, { audiences, seconds, namespace: context.namespace, account, ...bound })
      const expires = claims['kubernetes.io'].warnafter ?? claims.exp
      return {
        ...object,
        metadata: {
          ...object.metadata, name: account.metadata.name, namespace: context.namespace, uid: randomUUID(),
          creationTimestamp: rfc3339(issuer.now()),
        },
        spec: { ...request.spec, audiences, expirationSeconds: seconds, boundObjectRef: request.spec.boundObjectRef ?? null },
        status: { token: issuer.sign({ ...claims }), expirationTimestamp: rfc3339(expires * 1000) },
      } as unknown as ApiObject
    },
  }
}

function validateSpec(request: TokenRequest, seconds: number): FieldErrorLike[] {
  const errors: FieldErrorLike[] = []
  const field = 'spec.expirationSeconds'
  if (seconds < minimumSeconds) errors.push({ type: 'Invalid', field, badValue: seconds, detail: 'may not specify a duration less than 10 minutes' })
  if (seconds > maximumSeconds) errors.push({ type: 'Invalid', field, badValue: seconds, detail: 'may not specify a duration larger than 2^32 seconds' })
  for (const [index, audience] of (request.spec.audiences ?? []).entries()) {
    if (audience === '') errors.push({ type: 'Invalid', field: `spec.audiences[${index}]`, badValue: '', detail: 'may not be empty' })
  }
  return errors
}

interface Bound {
  pod?: BoundReference
  secret?: BoundReference
  node?: BoundReference
}

/** The objects that the token dies with, found and checked. */
function boundObjects(store: ResourceStore, request: TokenRequest, namespace: string, account: ServiceAccount): Bound {
  const ref = request.spec.boundObjectRef
  if (!ref) return {}
  const name = ref.name ?? ''
  const found = <T extends { metadata: ObjectMeta }>(object: T | undefined, resource: { group: string, resource: string }): T => {
    if (!object) throw notFound(resource, name)
    const uid = object.metadata.uid ?? ''
    if (ref.uid && ref.uid !== uid) throw conflict(resource, name, `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`)
    return object
  }
  const reference = (object: { metadata: ObjectMeta }): BoundReference => ({ name: object.metadata.name, uid: object.metadata.uid ?? '' })
  switch (`${ref.apiVersion ?? ''}/${ref.kind ?? ''}`) {
    case 'v1/Pod': {
      const pod = found<Pod>(store.get(core.pods, name, namespace), core.pods)
      if ((pod.spec?.serviceAccountName ?? '') !== account.metadata.name) throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`)
      const nodeName = pod.spec?.nodeName
      const node = nodeName ? store.get(core.nodes, nodeName) : undefined
      return { pod: reference(pod), ...(nodeName && { node: { name: nodeName, uid: node?.metadata.uid ?? '' } }) }
    }
    case 'v1/Secret': return { secret: reference(found(store.get(core.secrets, name, namespace), core.secrets)) }
    case 'v1/Node': return { node: reference(found(store.get(core.nodes, name), core.nodes)) }
    default: throw badRequest(`cannot bind token to object of type ${groupVersionKind(ref.apiVersion ?? '', ref.kind ?? '')}`)
  }
}

function groupVersionKind(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/')
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${apiVersion.slice(slash + 1)}, Kind=${kind}`
}

function issue(issuer: TokenIssuer, spec: Bound & { audiences: string[], seconds: number, namespace: string, account: ServiceAccount }): ServiceAccountClaims {
  const own = spec.audiences.length === issuer.audiences.length && spec.audiences.every((a, i) => a === issuer.audiences[i])
  const extended = own && spec.pod !== undefined && spec.seconds === projectedSeconds
  const { uid } = spec.account.metadata
  if (!uid) throw new StatusError(500, 'InternalError', `service account ${spec.account.metadata.name} has no uid`)
  return createClaims({
    issuer: issuer.issuer, audiences: spec.audiences, namespace: spec.namespace, serviceAccount: { name: spec.account.metadata.name, uid },
    ...(spec.pod && { pod: spec.pod }), ...(spec.secret && { secret: spec.secret }), ...(spec.node && { node: spec.node }),
    expirationSeconds: extended ? extendedSeconds : spec.seconds, ...(extended && { warnAfterSeconds: spec.seconds }),
    now: Math.floor(issuer.now() / 1000),
  })
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
