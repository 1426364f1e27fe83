import { randomBytes } from 'node:crypto'
import type * as X509 from '@peculiar/x509'
import { createPrivateKeyPem, importKeyPair } from './keys.ts'

/** Loads the certificate library when a certificate is made: parts that only use certificates do not pay for it. */
async function loadLibrary(): Promise<typeof X509> {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** A certificate with its private key, both PEM. */
export interface CertificateAndKey {
  readonly certificate: string
  readonly key: string
}

/** What a certificate is for: TLS server, TLS client, or both. */
export type CertificateUsage = 'server' | 'client'

/** Names that a certificate or a request carries. */
export interface CertificateNames {
  readonly commonName: string
  readonly organizations?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

/** What to issue: names, uses, and how many days it lasts (365 where absent). */
export interface CertificateRequest extends CertificateNames {
  readonly usages: readonly CertificateUsage[]
  readonly days?: number
}

const subjectAlternativeName = '2.5.29.17'
const dayMs = 24 * 3600 * 1000
/** Certificates start this much before now, so that machines with clocks a little behind accept them. */
const backdateMs = 5 * 60 * 1000

/** A self-signed certificate authority (P-256, ten years where `days` is absent). */
export async function createCa(commonName: string, options: { days?: number; now?: number } = {}): Promise<CertificateAndKey> {
  const x509 = await loadLibrary()
  const key = await createPrivateKeyPem()
  const keys = await importKeyPair(key)
  const now = options.now ?? Date.now()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: subjectOf(x509, { commonName }),
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + (options.days ?? 3650) * dayMs),
    keys,
    signingAlgorithm: keys.algorithms.signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pemOf(certificate), key }
}

/** Makes a key (P-256) and a certificate for it, signed by `ca`. */
export async function issueCertificate(ca: CertificateAndKey, request: CertificateRequest, options: { now?: number } = {}): Promise<CertificateAndKey> {
  const key = await createPrivateKeyPem()
  const { publicKey } = await importKeyPair(key)
  return { certificate: await signPublicKey(ca, publicKey, request, options), key }
}

/** A certificate signing request (PKCS#10, PEM) with the new P-256 key it is for. */
export async function createCertificateRequest(names: CertificateNames): Promise<{ request: string; key: string }> {
  const x509 = await loadLibrary()
  const key = await createPrivateKeyPem()
  const keys = await importKeyPair(key)
  const alternative = alternativeNames(x509, names)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subjectOf(x509, names), keys, signingAlgorithm: keys.algorithms.signing, extensions: alternative ? [alternative] : [],
  })
  return { request: `${request.toString('pem')}\n`, key }
}

/**
 * Signs the public key of a PEM certificate signing request, with the names that the request carries.
 * Throws where the request's own signature does not hold.
 */
export async function signCertificateRequest(ca: CertificateAndKey, request: string, options: { usages: readonly CertificateUsage[]; days?: number; now?: number }): Promise<string> {
  const x509 = await loadLibrary()
  const parsed = new x509.Pkcs10CertificateRequest(request)
  if (!await parsed.verify()) throw new Error('the certificate request is not signed by its own key')
  const alternative = requestedNames(x509, parsed)
  const names: CertificateRequest = {
    commonName: parsed.subjectName.getField('CN')[0] ?? '',
    organizations: parsed.subjectName.getField('O'),
    dnsNames: alternative.filter((n) => n.type === 'dns').map((n) => n.value),
    ipAddresses: alternative.filter((n) => n.type === 'ip').map((n) => n.value),
    usages: options.usages,
    ...(options.days !== undefined && { days: options.days }),
  }
  return signPublicKey(ca, await parsed.publicKey.export(), names, options)
}

/** What a PEM certificate signing request asks for. Throws where it is none, or is not signed by its own key. */
export async function readCertificateRequest(request: string): Promise<CertificateNames & { readonly organizations: readonly string[]; readonly emails: number; readonly uris: number }> {
  const x509 = await loadLibrary()
  const parsed = new x509.Pkcs10CertificateRequest(request)
  if (!await parsed.verify()) throw new Error('the certificate request is not signed by its own key')
  const alternative = requestedNames(x509, parsed)
  const count = (type: string): number => alternative.filter((name) => name.type === type).length
  return {
    commonName: parsed.subjectName.getField('CN')[0] ?? '', organizations: parsed.subjectName.getField('O'),
    dnsNames: alternative.filter((n) => n.type === 'dns').map((n) => n.value), ipAddresses: alternative.filter((n) => n.type === 'ip').map((n) => n.value), emails: count('email'), uris: count('url'),
  }
}

function requestedNames(x509: typeof X509, request: X509.Pkcs10CertificateRequest): X509.JsonGeneralNames {
  const found = request.getExtension(subjectAlternativeName)
  return found === null ? [] : new x509.SubjectAlternativeNameExtension(found.rawData).names.toJSON()
}

async function signPublicKey(ca: CertificateAndKey, publicKey: CryptoKey, request: CertificateRequest, options: { now?: number }): Promise<string> {
  const x509 = await loadLibrary()
  const issuer = new x509.X509Certificate(ca.certificate)
  const signer = await importKeyPair(ca.key)
  const now = options.now ?? Date.now()
  const wanted = now + (request.days ?? 365) * dayMs
  const alternative = alternativeNames(x509, request)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: subjectOf(x509, request),
    issuer: issuer.subjectName,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(Math.min(wanted, issuer.notAfter.getTime())),
    publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: signer.algorithms.signing,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(request.usages.map((u) => (u === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(alternative ? [alternative] : []),
    ],
  })
  return pemOf(certificate)
}

/** The subject, its values given as ASN.1 strings: as plain text the library would read quotes and escapes in them. */
function subjectOf(x509: typeof X509, names: CertificateNames): X509.Name {
  return new x509.Name([
    ...(names.organizations ?? []).map((o) => ({ O: [{ utf8String: o }] })),
    ...(names.commonName === '' ? [] : [{ CN: [{ utf8String: names.commonName }] }]),
  ])
}

function alternativeNames(x509: typeof X509, names: CertificateNames): X509.SubjectAlternativeNameExtension | undefined {
  const all: X509.JsonGeneralName[] = [
    ...(names.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  return all.length === 0 ? undefined : new x509.SubjectAlternativeNameExtension(all)
}

/** 127 random bits: positive in DER whatever they are, and unique without a counter. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

function pemOf(certificate: X509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
