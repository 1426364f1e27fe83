import { timingSafeEqual } from 'node:crypto'
import { core } from '@berth/api'
import { bootstrapGroups, bootstrapTokenNamespace, errorText, readBootstrapToken } from '@berth/kube'
import type { ResourceStore, ServerLog, UserInfo } from '../interfaces.ts'

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/

/** What bootstrap tokens are checked against. */
export interface BootstrapTokenOptions {
  readonly store: Pick<ResourceStore, 'get'>
  /** ms since 1970. */
  readonly now: () => number
  readonly log: ServerLog
}

/** Checks tokens `id.secret` against Secrets of the type bootstrap.kubernetes.io/token in kube-system: how a machine that is not a node yet asks for its certificate. */
export class BootstrapTokens {
  readonly #options: BootstrapTokenOptions

  constructor(options: BootstrapTokenOptions) {
    this.#options = options
  }

  /** The user `system:bootstrap:ID`; undefined where there is no such token, or it must not be used. */
  check(token: string): UserInfo | undefined {
    const [, id, secret] = tokenPattern.exec(token) ?? []
    if (id === undefined || secret === undefined) return undefined
    const stored = this.#options.store.get(core.secrets, `bootstrap-token-${id}`, bootstrapTokenNamespace)
    const known = stored && stored.metadata.deletionTimestamp === undefined ? readBootstrapToken(stored) : undefined
    if (!stored || !known || !isSame(known.secret, secret) || known.id !== id) return undefined
    if (known.expiresAt !== undefined && known.expiresAt <= this.#options.now()) return this.#refuse(id, 'has expired')
    if (!known.isForAuthentication) return this.#refuse(id, 'not marked usage-bootstrap-authentication=true.')
    try {
      return { name: `system:bootstrap:${id}`, groups: bootstrapGroups(known) }
    } catch (error) {
      return this.#refuse(id, `has invalid value for key auth-extra-groups: ${errorText(error)}.`)
    }
  }

  #refuse(id: string, why: string): undefined {
    this.#options.log.info(`Bootstrap secret ${bootstrapTokenNamespace}/bootstrap-token-${id} matching bearer token ${why}`)
    return undefined
  }
}

function isSame(known: string, given: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
