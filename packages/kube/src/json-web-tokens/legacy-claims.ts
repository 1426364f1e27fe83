// Tokens of service accounts that are kept in Secrets and do not end: upstream's claims.

/** Who such tokens say made them. */
export const legacyIssuer = 'kubernetes/serviceaccount'

/** What a token in a Secret speaks for. */
export interface LegacyToken {
  readonly namespace: string
  readonly secret: string
  readonly account: string
  readonly accountUid: string
}

const privateClaim = 'kubernetes.io/serviceaccount'

export function legacyClaims({ namespace, secret, account, accountUid }: LegacyToken): Record<string, string> {
  return {
    iss: legacyIssuer, sub: `system:serviceaccount:${namespace}:${account}`, [`${privateClaim}/namespace`]: namespace, [`${privateClaim}/secret.name`]: secret,
    [`${privateClaim}/service-account.name`]: account, [`${privateClaim}/service-account.uid`]: accountUid,
  }
}

/** Reads the claims; undefined where one is missing or the subject is another. */
export function readLegacyClaims(claims: Readonly<Record<string, unknown>>): LegacyToken | undefined {
  const text = (name: string): string => {
    const value = claims[`${privateClaim}/${name}`]
    return typeof value === 'string' ? value : ''
  }
  const read = { namespace: text('namespace'), secret: text('secret.name'), account: text('service-account.name'), accountUid: text('service-account.uid') }
  if (Object.values(read).includes('') || claims['iss'] !== legacyIssuer || claims['sub'] !== legacyClaims(read)['sub']) return undefined
  return read
}
