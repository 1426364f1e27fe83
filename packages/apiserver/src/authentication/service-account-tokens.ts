import { core } from '@berth/api'
import type { ObjectMeta } from '@berth/api/types/meta/v1'
import { type VerificationKey, readUnverifiedClaims, verifyJwt } from '@berth/kube'
import type { ResourceStore, UserInfo } from '../interfaces.ts'
import { type BoundReference, type ServiceAccountClaims, readClaims } from './service-account-claims.ts'

/** Clocks may differ by this, and deleted objects' tokens live this much longer (upstream's default leeway), in ms. */
const leewayMs = 60_000
/** So many verified tokens are remembered, so that a signature is checked once and not for each request. */
const rememberedTokens = 2_000

/** Who a token speaks for, and for which of the asked audiences. */
export interface TokenOwner {
  readonly user: UserInfo
  readonly audiences: string[]
  /** The use of a token beyond its nominal life, for the log. */
  readonly stale: boolean
}

/** What service account tokens are checked against. */
export interface ServiceAccountTokenOptions {
  readonly issuer: string
  readonly keys: readonly VerificationKey[]
  readonly store: ResourceStore
  /** ms since 1970. */
  readonly now: () => number
}

/** Checks service accounts' tokens: signature, times, audience, and that the account and the objects they are bound to still exist. */
export class ServiceAccountTokens {
  readonly #options: ServiceAccountTokenOptions
  readonly #verified = new Map<string, ServiceAccountClaims>()

  constructor(options: ServiceAccountTokenOptions) {
    this.#options = options
  }

  /** Whether the token says that this server issued it. Others are somebody else's to judge. */
  claims(token: string): boolean {
    return readUnverifiedClaims(token)?.['iss'] === this.#options.issuer
  }

  /** The owner of a token; throws an Error that says what is wrong with it. */
  check(token: string, audiences: readonly string[]): TokenOwner {
    const claims = this.#verify(token)
    const now = this.#options.now()
    if (now > claims.exp * 1000 + leewayMs) throw new Error('service account token has expired')
    if (now < claims.nbf * 1000 - leewayMs) throw new Error('service account token is not valid yet')
    const common = audiences.filter((a) => claims.aud.includes(a))
    if (common.length === 0) throw new Error(`token audiences [${claims.aud.map((a) => JSON.stringify(a)).join(' ')}] is invalid for the target audiences [${audiences.map((a) => JSON.stringify(a)).join(' ')}]`)
    const bound = claims['kubernetes.io']
    this.#alive('service account', bound.serviceaccount, this.#options.store.get(core.serviceaccounts, bound.serviceaccount.name, bound.namespace)?.metadata)
    if (bound.secret) this.#alive('secret', bound.secret, this.#options.store.get(core.secrets, bound.secret.name, bound.namespace)?.metadata)
    if (bound.pod) this.#alive('pod', bound.pod, this.#options.store.get(core.pods, bound.pod.name, bound.namespace)?.metadata)
    // A token of a pod keeps its node as information; one that is bound to the node alone dies with it.
    if (bound.node && !bound.pod) this.#alive('node', bound.node, this.#options.store.get(core.nodes, bound.node.name)?.metadata)
    return { user: userOf(claims), audiences: common, stale: bound.warnafter !== undefined && now > bound.warnafter * 1000 }
  }

  #verify(token: string): ServiceAccountClaims {
    const known = this.#verified.get(token)
    if (known) return known
    const verified = verifyJwt(token, this.#options.keys)
    if (!verified) throw new Error('invalid signature')
    const claims = readClaims(verified)
    if (!claims || claims.iss !== this.#options.issuer) throw new Error('token is not a service account token of this cluster')
    if (this.#verified.size >= rememberedTokens) {
      const [oldest] = this.#verified.keys()
      if (oldest !== undefined) this.#verified.delete(oldest)
    }
    this.#verified.set(token, claims)
    return claims
  }

  #alive(what: string, bound: BoundReference, metadata: ObjectMeta | undefined): void {
    if (!metadata || metadata.uid !== bound.uid) throw new Error(`${what} ${bound.name} (${bound.uid}) does not exist`)
    if (metadata.deletionTimestamp && this.#options.now() > Date.parse(metadata.deletionTimestamp) + leewayMs) throw new Error(`${what} ${bound.name} has been deleted`)
  }
}

/** The groups every service account of a namespace is in. */
export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

function userOf(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const extra: Record<string, string[]> = {
    ...(claims.jti && { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] }),
    ...(node && { 'authentication.kubernetes.io/node-name': [node.name], ...(node.uid && { 'authentication.kubernetes.io/node-uid': [node.uid] }) }),
    ...(pod && { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
  }
  return { name: claims.sub, uid: serviceaccount.uid, groups: serviceAccountGroups(namespace), ...(Object.keys(extra).length > 0 && { extra }) }
}
