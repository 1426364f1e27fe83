import { createHash } from 'node:crypto'
import { authentication, authorization } from '@berth/api'
import type { KubeClient } from '../client/client.ts'
import type { Clock } from '../clock/clock.ts'
import { systemClock } from '../clock/system-clock.ts'
import type { RequestUser } from '../transport/transport.ts'
import type { Authenticate, Authorize } from './component-server.ts'

const cacheLimit = 1024

export interface DelegatedAuthenticationOptions {
  client: KubeClient
  /** How long a token's answer is kept; 10 s when absent (upstream's components), 2 min for the kubelet. */
  cacheTtlMs?: number
  /** Whether tokens are asked about at all (`authentication.webhook.enabled`). */
  webhook?: boolean
  clock?: Clock
}

/** Authenticates by verified client certificate, else by asking the API server about the token (TokenReview). */
export function delegatedAuthentication(options: DelegatedAuthenticationOptions): Authenticate {
  const { client, cacheTtlMs = 10_000, webhook = true, clock = systemClock } = options
  const cache = new TtlCache<RequestUser | undefined>(clock)
  return async ({ bearerToken, clientCertificate }) => {
    if (clientCertificate !== undefined) return { name: clientCertificate.commonName, groups: [...clientCertificate.organizations, 'system:authenticated'] }
    if (bearerToken === undefined || !webhook) return undefined
    const key = createHash('sha256').update(bearerToken).digest('base64')
    return cache.get(key, async () => {
      const review = await client.create(authentication.tokenreviews, { metadata: { name: '' }, spec: { token: bearerToken } })
      const user = review.status?.user
      const known = review.status?.authenticated === true && user?.username !== undefined
      return { value: known ? { name: user.username ?? '', groups: user.groups ?? [], uid: user.uid, extra: user.extra } : undefined, ttlMs: cacheTtlMs }
    })
  }
}

export interface DelegatedAuthorizationOptions {
  client: KubeClient
  /** How long a yes is kept; 10 s when absent, 5 min for the kubelet. */
  allowedTtlMs?: number
  /** How long a no is kept; 10 s when absent, 30 s for the kubelet. */
  deniedTtlMs?: number
  clock?: Clock
}

/** Authorizes by asking the API server (SubjectAccessReview). Members of system:masters are always allowed, as upstream. */
export function delegatedAuthorization(options: DelegatedAuthorizationOptions): Authorize {
  const { client, allowedTtlMs = 10_000, deniedTtlMs = 10_000, clock = systemClock } = options
  const cache = new TtlCache<{ allowed: boolean; reason: string }>(clock)
  return async (attributes) => {
    if (attributes.user.groups.includes('system:masters')) return { allowed: true, reason: '' }
    const { user, verb, path, resource } = attributes
    const spec = {
      user: user.name, groups: user.groups, ...(user.uid === undefined ? {} : { uid: user.uid }), ...(user.extra === undefined ? {} : { extra: user.extra }),
      ...(resource === undefined ? { nonResourceAttributes: { path: path ?? '/', verb } } : { resourceAttributes: { ...resource, verb } }),
    }
    return cache.get(JSON.stringify(spec), async () => {
      const review = await client.create(authorization.subjectaccessreviews, { metadata: { name: '' }, spec })
      const allowed = review.status?.allowed === true && review.status.denied !== true
      return { value: { allowed, reason: review.status?.reason ?? '' }, ttlMs: allowed ? allowedTtlMs : deniedTtlMs }
    })
  }
}

/** Answers that are kept for a while; the same question asked twice at once is asked once. Failures are not kept. */
class TtlCache<V> {
  readonly #clock: Clock
  readonly #known = new Map<string, { value: V; until: number }>()
  readonly #asking = new Map<string, Promise<V>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string, ask: () => Promise<{ value: V; ttlMs: number }>): Promise<V> {
    const known = this.#known.get(key)
    if (known !== undefined && this.#clock.now() < known.until) return Promise.resolve(known.value)
    const running = this.#asking.get(key)
    if (running !== undefined) return running
    const asked = ask().then(({ value, ttlMs }) => {
      this.#known.delete(key)
      this.#known.set(key, { value, until: this.#clock.now() + ttlMs })
      const [oldest] = this.#known.keys()
      if (this.#known.size > cacheLimit && oldest !== undefined) this.#known.delete(oldest)
      return value
    }).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asked)
    return asked
  }
}
