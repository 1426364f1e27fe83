import { X509Certificate } from 'node:crypto'

/** What the parts read from a certificate. */
export interface CertificateFacts {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly notBefore: number
  readonly notAfter: number
}

/** Reads the first certificate of a PEM text (or a DER buffer); times are in ms. Throws where there is none. */
export function inspectCertificate(certificate: string | Uint8Array): CertificateFacts {
  const parsed = new X509Certificate(certificate)
  const alternative = (parsed.subjectAltName ?? '').split(', ').filter((n) => n !== '')
  const namesOf = (prefix: string): string[] => alternative.filter((n) => n.startsWith(prefix)).map((n) => n.slice(prefix.length))
  const subject = distinguishedName(parsed.subject)
  return {
    commonName: subject.get('CN')?.at(-1) ?? '',
    organizations: subject.get('O') ?? [],
    dnsNames: namesOf('DNS:'),
    ipAddresses: namesOf('IP Address:'),
    notBefore: Date.parse(parsed.validFrom),
    notAfter: Date.parse(parsed.validTo),
  }
}

/**
 * The attributes of a subject as Node prints it: one `KEY=value` a line, special characters escaped with a backslash (RFC 2253).
 * A multi-valued RDN is joined by ` + ` there.
 */
function distinguishedName(text: string | undefined): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of (text ?? '').split('\n').flatMap((l) => l.split(/(?<!\\) \+ /))) {
    const at = line.indexOf('=')
    if (at <= 0) continue
    const key = line.slice(0, at)
    const value = line.slice(at + 1).replace(/\\(.)/g, '$1')
    found.set(key, [...(found.get(key) ?? []), value])
  }
  return found
}

/**
 * Whether a certificate should be issued again: unreadable, expired, with less than `fraction` of its life left (a fifth where absent),
 * not signed by `ca`, or without one of the names it must carry.
 */
export function needsRenewal(certificate: string, wanted: { ca?: string; dnsNames?: readonly string[]; ipAddresses?: readonly string[] }, now: number, fraction = 0.2): boolean {
  try {
    const facts = inspectCertificate(certificate)
    if (facts.notAfter - now < (facts.notAfter - facts.notBefore) * fraction) return true
    const parsed = new X509Certificate(certificate)
    if (wanted.ca !== undefined && !parsed.verify(new X509Certificate(wanted.ca).publicKey)) return true
    return (wanted.dnsNames ?? []).some((n) => parsed.checkHost(n) === undefined) || (wanted.ipAddresses ?? []).some((a) => parsed.checkIP(a) === undefined)
  } catch {
    return true
  }
}
