import { timingSafeEqual } from 'node:crypto'
import { core } from '@berth/api'
import type { Secret } from '@berth/api/types/core/v1'
import { legacyIssuer, readLegacyClaims, readUnverifiedClaims, verifyJwt, type VerificationKey } from '@berth/kube'
import type { ResourceStore, ServerLog, UserInfo } from '../interfaces.ts'
import { serviceAccountGroups } from './service-account-tokens.ts'

const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'
const dayMs = 86_400_000

/** What tokens in Secrets are checked against. */
export interface LegacyTokenOptions {
  readonly keys: readonly VerificationKey[]
  readonly store: Pick<ResourceStore, 'get' | 'update'>
  /** ms since 1970. */
  readonly now: () => number
  readonly log: ServerLog
}

/** Checks service accounts' tokens that are kept in Secrets (kubernetes.io/service-account-token): they hold as long as Secret and account do. */
export class LegacyTokens {
  readonly #options: LegacyTokenOptions

  constructor(options: LegacyTokenOptions) {
    this.#options = options
  }

  /** The account; undefined for tokens of other issuers. Throws an Error that says what is wrong with the token. */
  check(token: string): UserInfo | undefined {
    if (readUnverifiedClaims(token)?.['iss'] !== legacyIssuer) return undefined
    const verified = verifyJwt(token, this.#options.keys)
    if (!verified) throw new Error('invalid signature')
    const claims = readLegacyClaims(verified)
    if (!claims) throw new Error('sub claim is invalid')
    const { namespace, account, accountUid } = claims
    const { store } = this.#options
    const secret = store.get(core.secrets, claims.secret, namespace)
    if (!secret || secret.metadata.deletionTimestamp !== undefined) throw new Error('Token has been invalidated')
    if (!isSame(Buffer.from(secret.data?.['token'] ?? '', 'base64'), Buffer.from(token))) throw new Error("Token does not match server's copy")
    const owner = store.get(core.serviceaccounts, account, namespace)
    if (!owner || owner.metadata.deletionTimestamp !== undefined) throw new Error(`ServiceAccount ${namespace}/${account} has been deleted`)
    if (owner.metadata.uid !== accountUid) throw new Error(`ServiceAccount UID (${owner.metadata.uid ?? ''}) does not match claim (${accountUid})`)
    this.#markUsed(secret)
    if ((secret.metadata.labels?.[invalidSinceLabel] ?? '') !== '') {
      throw new Error(`the token in secret ${namespace}/${claims.secret} for service account ${namespace}/${account} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`)
    }
    return { name: `system:serviceaccount:${namespace}:${account}`, uid: accountUid, groups: serviceAccountGroups(namespace) }
  }

  /** Writes down the day of use, once a day and in the background: a token that cannot be marked is good all the same. */
  #markUsed(secret: Secret): void {
    const { now, store, log } = this.#options
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
    const known = secret.metadata.labels?.[lastUsedLabel]
    if (known === day(now()) || known === day(now() + dayMs)) return
    const marked = { ...secret, metadata: { ...secret.metadata, labels: { ...secret.metadata.labels, [lastUsedLabel]: day(now()) } } }
    store.update(core.secrets, marked).catch((error: unknown) => log.error(error, 'Failed to label legacy service account token with last-used date', { namespace: secret.metadata.namespace, secret: secret.metadata.name }))
  }
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
