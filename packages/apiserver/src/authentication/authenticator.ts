import { unauthorized } from '../errors.ts'
import type { AuthenticationRequest, Authenticator, Authorizer, ServerLog, UserInfo } from '../interfaces.ts'
import type { ClientCertificates } from './client-certificates.ts'
import type { RequestHeaderAuthenticator } from './request-header.ts'
import { impersonate } from './impersonation.ts'
import type { ServiceAccountTokens } from './service-account-tokens.ts'
import { userOfToken } from './token-file.ts'

/** Who a bearer token speaks for, and the audiences it is good for. */
export interface TokenAnswer {
  readonly user: UserInfo
  readonly audiences: string[]
}

/** Checks tokens of one kind: gives whom one speaks for, undefined where it is of another kind. Throws where it is of this kind and must not be used. */
export interface TokenKind {
  check(token: string): UserInfo | undefined
}

/** Checks bearer tokens: of the token file, of further kinds, of service accounts. TokenReview asks here too. */
export class TokenAuthenticator {
  readonly #file: ReadonlyMap<string, UserInfo>
  readonly #accounts: ServiceAccountTokens
  readonly #audiences: readonly string[]
  readonly #others: readonly TokenKind[]

  /** `audiences` are the API server's own, which tokens that name none are good for. */
  constructor(file: ReadonlyMap<string, UserInfo>, accounts: ServiceAccountTokens, audiences: readonly string[], others: readonly TokenKind[] = []) {
    this.#file = file
    this.#accounts = accounts
    this.#audiences = audiences
    this.#others = others
  }

  /** The token's owner; undefined where nobody knows the token. Throws an Error where its issuer rejects it. */
  check(token: string, audiences: readonly string[]): TokenAnswer | undefined {
    const user = userOfToken(this.#file, token) ?? firstOf(this.#others, token)
    if (user) {
      const common = this.#audiences.filter((a) => audiences.includes(a))
      if (common.length === 0) throw new Error('the token is not for the target audiences')
      return { user: authenticated(user), audiences: common }
    }
    if (!this.#accounts.claims(token)) return undefined
    const owner = this.#accounts.check(token, audiences)
    return { user: authenticated(owner.user), audiences: owner.audiences }
  }
}

function firstOf(kinds: readonly TokenKind[], token: string): UserInfo | undefined {
  for (const kind of kinds) {
    const user = kind.check(token)
    if (user !== undefined) return user
  }
  return undefined
}

/** What the server's authenticator is made of. */
export interface AuthenticatorParts {
  /** Asked each time: the authorities may be replaced while the server runs. */
  readonly certificates: () => ClientCertificates | undefined
  /** Proxies that name the user in headers; asked each time as well. */
  readonly requestHeaders?: () => RequestHeaderAuthenticator
  readonly tokens: TokenAuthenticator
  readonly audiences: readonly string[]
  readonly anonymous: boolean
  readonly authorizer: Authorizer
  readonly log: ServerLog
}

/**
 * Finds the user of a request: by the headers of a trusted proxy, by client certificate, then by bearer token, else anonymous where that is allowed; then by impersonation.
 * Credentials that nobody accepts are a 401, never anonymous.
 */
export class RequestAuthenticator implements Authenticator {
  readonly #parts: AuthenticatorParts

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts
  }

  async authenticate(request: AuthenticationRequest): Promise<UserInfo | undefined> {
    const user = this.#userOf(request)
    if (!user) return undefined
    return await impersonate(request, user, this.#parts.authorizer) ?? user
  }

  #userOf(request: AuthenticationRequest): UserInfo | undefined {
    const failures: unknown[] = []
    if (request.clientCertificates.length > 0) {
      try {
        const user = this.#parts.requestHeaders?.().check(request)
        if (user) return authenticated(user)
      } catch (error) {
        failures.push(error)
      }
    }
    const certificates = request.clientCertificates.length > 0 ? this.#parts.certificates() : undefined
    if (certificates) {
      try {
        return authenticated(certificates.check(request.clientCertificates))
      } catch (error) {
        failures.push(error)
      }
    }
    const token = bearerToken(request.headers)
    if (token !== undefined) {
      try {
        const answer = this.#parts.tokens.check(token, this.#parts.audiences)
        if (answer) return answer.user
        failures.push(new Error('invalid bearer token'))
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) {
      const cause = failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map((f) => (f instanceof Error ? f.message : String(f))).join(', '))
      this.#parts.log.error(cause, 'Unable to authenticate the request')
      throw unauthorized(cause)
    }
    return this.#parts.anonymous ? { name: 'system:anonymous', groups: ['system:unauthenticated'] } : undefined
  }
}

/** The token of `Authorization: Bearer`, or of the WebSocket subprotocol `base64url.bearer.authorization.k8s.io.<token>`. */
function bearerToken(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const match = /^\s*bearer\s+(\S+)\s*$/i.exec(headers['authorization'] ?? '')
  if (match) return match[1]
  const prefix = 'base64url.bearer.authorization.k8s.io.'
  const protocol = (headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim()).find((p) => p.startsWith(prefix))
  return protocol === undefined ? undefined : Buffer.from(protocol.slice(prefix.length), 'base64url').toString('utf8')
}

/** Puts a user into `system:authenticated`. */
export function authenticated(user: UserInfo): UserInfo {
  return user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated') ? user : { ...user, groups: [...user.groups, 'system:authenticated'] }
}
