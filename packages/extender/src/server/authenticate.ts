import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Authenticate, AuthenticateRequest } from '@berth/kube'
import { ConfigError } from '../errors.ts'

interface KnownToken { readonly hash: Buffer; readonly name: string; readonly groups: readonly string[] }

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Reads tokens as kube-apiserver's --token-auth-file has them: a line each of `token,user,uid[,"group1,group2"]`. */
export async function readTokenFile(path: string): Promise<readonly KnownToken[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`authentication.tokenFile: ${(error as Error).message}`, { cause: error })
  }
  const tokens: KnownToken[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, token, name, , groups = ''] = /^([^,"]+),([^,"]+),([^,"]*)(?:,"?([^"]*)"?)?$/.exec(line.trim()) ?? []
    if (token === undefined || name === undefined) throw new ConfigError(`authentication.tokenFile: ${path}: line ${i + 1}: expected token,user,uid or token,user,uid,"group1,group2"`)
    tokens.push({ hash: hashOf(token), name, groups: groups.split(',').map((g) => g.trim()).filter((g) => g !== '') })
  }
  if (tokens.length === 0) throw new ConfigError(`authentication.tokenFile: ${path}: there is no token in it`)
  return tokens
}

/** Who a request is from: a verified client certificate, a token of the file, or what `review` (TokenReview) says of a token. */
export function authenticator(tokens: readonly KnownToken[], review: Authenticate | undefined): Authenticate {
  return async (request: AuthenticateRequest) => {
    const { clientCertificate, bearerToken } = request
    if (clientCertificate) return { name: clientCertificate.commonName, groups: [...clientCertificate.organizations, 'system:authenticated'] }
    if (bearerToken === undefined) return undefined
    const hash = hashOf(bearerToken)
    const known = tokens.find((token) => timingSafeEqual(token.hash, hash))
    return known ? { name: known.name, groups: [...known.groups, 'system:authenticated'] } : review?.(request)
  }
}
