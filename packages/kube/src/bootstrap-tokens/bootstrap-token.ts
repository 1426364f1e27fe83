import type { Secret } from '@berth/api/types/core/v1'

/** The type of the Secrets that hold bootstrap tokens, and the namespace where they count. */
export const bootstrapTokenType = 'bootstrap.kubernetes.io/token'
export const bootstrapTokenNamespace = 'kube-system'

const namePattern = /^bootstrap-token-([a-z0-9]{6})$/
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const defaultGroup = 'system:bootstrappers'

/** A bootstrap token as its Secret states it. */
export interface BootstrapToken {
  /** The public part, which is in the Secret's name too. */
  readonly id: string
  readonly secret: string
  /** Milliseconds since the epoch; undefined: never. A time that cannot be read has always passed. */
  readonly expiresAt: number | undefined
  readonly isForAuthentication: boolean
  readonly isForSigning: boolean
  /** `auth-extra-groups` as it is written; see {@link bootstrapGroups}. */
  readonly extraGroups: string
}

/** Reads a Secret's bootstrap token; undefined where it is of another type or namespace, has no token, or a name that does not tell the token's id. */
export function readBootstrapToken(secret: Secret): BootstrapToken | undefined {
  if (secret.type !== bootstrapTokenType || secret.metadata.namespace !== bootstrapTokenNamespace) return undefined
  const value = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  const id = value('token-id')
  if (id === '' || namePattern.exec(secret.metadata.name)?.[1] !== id || value('token-secret') === '') return undefined
  return {
    id, secret: value('token-secret'), expiresAt: bootstrapTokenExpiry(secret), extraGroups: value('auth-extra-groups'),
    isForAuthentication: value('usage-bootstrap-authentication') === 'true', isForSigning: value('usage-bootstrap-signing') === 'true',
  }
}

/** When a Secret's token ends, in milliseconds since the epoch; undefined: never. What is no time has always passed. */
export function bootstrapTokenExpiry(secret: Secret): number | undefined {
  const text = Buffer.from(secret.data?.['expiration'] ?? '', 'base64').toString('utf8')
  if (text === '') return undefined
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const time = isTime ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time
}

/** The groups that a token's bearer is in, in order. Throws where one of the further groups does not begin with `system:bootstrappers:`. */
export function bootstrapGroups({ extraGroups }: Pick<BootstrapToken, 'extraGroups'>): string[] {
  const groups = new Set([defaultGroup])
  for (const group of extraGroups === '' ? [] : extraGroups.split(',')) {
    if (!groupPattern.test(group)) throw new Error(`bootstrap group ${JSON.stringify(group)} is invalid (must match \\Asystem:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]\\z)`)
    groups.add(group)
  }
  return [...groups].toSorted()
}
