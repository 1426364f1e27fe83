import { randomUUID } from 'node:crypto'

/** An object a token is bound to. */
export interface BoundReference {
  readonly name: string
  readonly uid: string
}

/** The private claims under `kubernetes.io`, in upstream's layout. */
export interface KubernetesClaims {
  readonly namespace: string
  readonly node?: BoundReference
  readonly pod?: BoundReference
  readonly secret?: BoundReference
  readonly serviceaccount: BoundReference
  readonly warnafter?: number
}

/** What a service account's token says; times are seconds since 1970. */
export interface ServiceAccountClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string[]
  readonly exp: number
  readonly iat: number
  readonly nbf: number
  readonly jti: string
  readonly 'kubernetes.io': KubernetesClaims
}

/** What to put into a token. */
export interface TokenSpec {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly namespace: string
  readonly serviceAccount: BoundReference
  readonly pod?: BoundReference
  readonly secret?: BoundReference
  readonly node?: BoundReference
  readonly expirationSeconds: number
  /** Seconds from now after which use is warned about (tokens whose life was extended). */
  readonly warnAfterSeconds?: number
  /** Seconds since 1970. */
  readonly now: number
}

/** The claims of a new token. */
export function createClaims(spec: TokenSpec): ServiceAccountClaims {
  return {
    aud: [...spec.audiences],
    exp: spec.now + spec.expirationSeconds,
    iat: spec.now,
    iss: spec.issuer,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace: spec.namespace,
      ...(spec.node && { node: spec.node }),
      ...(spec.pod && { pod: spec.pod }),
      ...(spec.secret && { secret: spec.secret }),
      serviceaccount: spec.serviceAccount,
      ...(spec.warnAfterSeconds !== undefined && { warnafter: spec.now + spec.warnAfterSeconds }),
    },
    nbf: spec.now,
    sub: `system:serviceaccount:${spec.namespace}:${spec.serviceAccount.name}`,
  }
}

/** Reads the claims of a verified token; undefined where they are not a service account's. */
export function readClaims(claims: Record<string, unknown>): ServiceAccountClaims | undefined {
  const kubernetes = claims['kubernetes.io']
  const aud = typeof claims['aud'] === 'string' ? [claims['aud']] : claims['aud']
  if (typeof kubernetes !== 'object' || kubernetes === null || !isStrings(aud)) return undefined
  const k = kubernetes as Record<string, unknown>
  if (typeof k['namespace'] !== 'string' || !isReference(k['serviceaccount'])) return undefined
  if ([k['pod'], k['secret'], k['node']].some((r) => r !== undefined && !isReference(r))) return undefined
  if (typeof claims['sub'] !== 'string' || claims['sub'] !== `system:serviceaccount:${k['namespace']}:${k['serviceaccount'].name}`) return undefined
  if (typeof claims['exp'] !== 'number' || typeof claims['iss'] !== 'string') return undefined
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
  return { ...claims, iss: claims['iss'], sub: claims['sub'], aud, exp: claims['exp'], iat: number(claims['iat']), nbf: number(claims['nbf']), jti: typeof claims['jti'] === 'string' ? claims['jti'] : '', 'kubernetes.io': kubernetes as KubernetesClaims }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'string')
}

function isReference(value: unknown): value is BoundReference {
  return typeof value === 'object' && value !== null && typeof (value as BoundReference).name === 'string' && typeof (value as BoundReference).uid === 'string'
}
