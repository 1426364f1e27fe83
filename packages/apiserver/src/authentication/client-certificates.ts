import { X509Certificate } from 'node:crypto'
import { inspectCertificate } from '@berth/kube'
import type { UserInfo } from '../interfaces.ts'

const clientAuth = '1.3.6.1.5.5.7.3.2'
const anyUsage = '2.5.29.37.0'
const longestChain = 8
const rememberedCertificates = 1_000

interface Verified {
  readonly user: UserInfo
  readonly notBefore: number
  readonly notAfter: number
}

/** Takes users from client certificates that an authority signed: the common name is the user, organizations are the groups. */
export class ClientCertificates {
  readonly #authorities: readonly X509Certificate[]
  readonly #now: () => number
  readonly #verified = new Map<string, Verified>()
  /** By chain, as a connection gives it: its requests need not read the certificate again. */
  readonly #chains = new WeakMap<readonly Uint8Array[], Verified>()

  /** `authorities`: PEM of one or more CA certificates. `now`: ms since 1970. */
  constructor(authorities: string, now: () => number) {
    this.#authorities = splitPem(authorities).map((pem) => new X509Certificate(pem))
    this.#now = now
  }

  /** The user of a chain (DER, leaf first). Throws an Error that says why the chain is not trusted. */
  check(chain: readonly Uint8Array[]): UserInfo {
    const known = this.#chains.get(chain) ?? this.#read(chain)
    const now = this.#now()
    if (now < known.notBefore || now > known.notAfter) throw new Error('x509: certificate has expired or is not yet valid')
    return known.user
  }

  #read(chain: readonly Uint8Array[]): Verified {
    const [der] = chain
    if (!der) throw new Error('no certificate was given')
    const leaf = new X509Certificate(der)
    const verified = this.#verified.get(leaf.fingerprint256) ?? this.#verify(leaf, chain.slice(1))
    this.#chains.set(chain, verified)
    return verified
  }

  #verify(leaf: X509Certificate, rest: readonly Uint8Array[]): Verified {
    const usages: readonly string[] | undefined = leaf.keyUsage
    if (usages !== undefined && !usages.includes(clientAuth) && !usages.includes(anyUsage)) throw new Error('x509: certificate specifies an incompatible key usage')
    const path = this.#path(leaf, rest.map((der) => new X509Certificate(der)))
    if (!path) throw new Error('x509: certificate signed by unknown authority')
    const facts = inspectCertificate(leaf.raw)
    if (facts.commonName === '') throw new Error('the certificate has no common name')
    const verified: Verified = {
      user: {
        name: facts.commonName, groups: [...facts.organizations],
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${leaf.fingerprint256.replaceAll(':', '').toLowerCase()}`] },
      },
      notBefore: Math.max(...path.map((c) => Date.parse(c.validFrom))),
      notAfter: Math.min(...path.map((c) => Date.parse(c.validTo))),
    }
    if (this.#verified.size >= rememberedCertificates) this.#verified.clear()
    this.#verified.set(leaf.fingerprint256, verified)
    return verified
  }

  /** The way from the leaf to an authority, through the certificates that the client sent along. */
  #path(leaf: X509Certificate, intermediates: readonly X509Certificate[]): X509Certificate[] | undefined {
    const path = [leaf]
    let current = leaf
    while (path.length < longestChain) {
      const child = current
      const root = this.#authorities.find((a) => issued(a, child))
      if (root) return [...path, root]
      const next = intermediates.find((i) => issued(i, child) && !path.includes(i))
      if (!next) return undefined
      path.push(next)
      current = next
    }
    return undefined
  }
}

function issued(authority: X509Certificate, child: X509Certificate): boolean {
  return authority.ca && child.issuer === authority.subject && child.verify(authority.publicKey)
}

/** The single certificates of a PEM bundle. */
export function splitPem(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
}
