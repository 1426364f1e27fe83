import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

/** How a key signs: the JOSE name, Node's digest, and for ECDSA the raw r||s form that JOSE asks for. */
interface Algorithm {
  readonly name: string
  readonly digest: string
  readonly curve?: string
}

const ecdsa: Record<string, Algorithm> = {
  prime256v1: { name: 'ES256', digest: 'sha256', curve: 'P-256' },
  secp384r1: { name: 'ES384', digest: 'sha384', curve: 'P-384' },
  secp521r1: { name: 'ES512', digest: 'sha512', curve: 'P-521' },
}

/** A public key that tokens may be signed with, with its id (SHA-256 of the SPKI, as upstream's). */
export interface VerificationKey {
  readonly id: string
  readonly algorithm: string
  readonly key: KeyObject
}

/** Reads a public or private key (PEM) as one that verifies. Throws for kinds of keys that JOSE tokens of a cluster do not use. */
export function verificationKey(pem: string): VerificationKey {
  const key = createPublicKey(pem)
  return { id: createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('base64url'), algorithm: algorithmOf(key).name, key }
}

function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RS256', digest: 'sha256' }
  const known = key.asymmetricKeyType === 'ec' ? ecdsa[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined
  if (!known) throw new TypeError(`unsupported service account key: ${key.asymmetricKeyType ?? 'unknown'} (RSA and ECDSA P-256, P-384, P-521 are supported)`)
  return known
}

/** Signs claims with a private key (PEM): a compact JWS whose header carries `alg` and `kid`. */
export function jwtSigner(privateKeyPem: string): (claims: Record<string, unknown>) => string {
  const key = createPrivateKey(privateKeyPem)
  const algorithm = algorithmOf(key)
  const header = encode({ alg: algorithm.name, kid: verificationKey(privateKeyPem).id })
  return (claims) => {
    const signed = `${header}.${encode(claims)}`
    const signature = sign(algorithm.digest, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
    return `${signed}.${signature.toString('base64url')}`
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** The claims of a compact JWS without any check: to see whose token it is. Undefined where it is none. */
export function readUnverifiedClaims(token: string): Record<string, unknown> | undefined {
  return readToken(token)?.claims
}

interface ReadToken {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  signed: string
  signature: Buffer
}

function readToken(token: string): ReadToken | undefined {
  const parts = token.split('.')
  const [header, claims, signature] = parts
  if (parts.length !== 3 || header === undefined || claims === undefined || signature === undefined) return undefined
  try {
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    const [h, c] = [read(header), read(claims)]
    if (!isRecord(h) || !isRecord(c)) return undefined
    return { header: h, claims: c, signed: `${header}.${claims}`, signature: Buffer.from(signature, 'base64url') }
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The claims of a token that one of the keys signed; undefined where none did. The algorithm is the key's, never the token's word for it. */
export function verifyJwt(token: string, keys: readonly VerificationKey[]): Record<string, unknown> | undefined {
  const read = readToken(token)
  if (!read) return undefined
  const id = read.header['kid']
  const named = keys.filter((k) => k.id === id)
  for (const { key, algorithm } of named.length > 0 ? named : keys) {
    if (read.header['alg'] !== algorithm) continue
    if (verify(algorithmOf(key).digest, Buffer.from(read.signed), { key, dsaEncoding: 'ieee-p1363' }, read.signature)) return read.claims
  }
  return undefined
}

/** The keys as a JSON Web Key Set. */
export function jwks(keys: readonly VerificationKey[]): { keys: Record<string, unknown>[] } {
  return { keys: keys.map(({ id, algorithm, key }) => ({ use: 'sig', kid: id, alg: algorithm, ...key.export({ format: 'jwk' }) })) }
}
