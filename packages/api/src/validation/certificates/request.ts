// PKCS#10 (RFC 2986): whether a certificate signing request can be read, and is signed by the key it carries.
import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { DerError, oidOf, readDer } from './der.ts'
import { pemBlocks } from './pem.ts'

const sequence = 0x30
const bitString = 0x03

/** Signature algorithms by their identifiers: the hash (none where the algorithm has its own), and what a wrong signature is called. */
const algorithms: Readonly<Record<string, readonly [hash: string | null, failure: string]>> = {
  '1.2.840.113549.1.1.5': ['sha1', 'crypto/rsa: verification error'], '1.2.840.113549.1.1.11': ['sha256', 'crypto/rsa: verification error'],
  '1.2.840.113549.1.1.12': ['sha384', 'crypto/rsa: verification error'], '1.2.840.113549.1.1.13': ['sha512', 'crypto/rsa: verification error'],
  '1.2.840.10045.4.1': ['sha1', 'x509: ECDSA verification failure'], '1.2.840.10045.4.3.2': ['sha256', 'x509: ECDSA verification failure'],
  '1.2.840.10045.4.3.3': ['sha384', 'x509: ECDSA verification failure'], '1.2.840.10045.4.3.4': ['sha512', 'x509: ECDSA verification failure'],
  '1.3.101.112': [null, 'x509: Ed25519 verification failure'],
}

/** What is wrong with a request in PEM; undefined where nothing is. */
export function requestProblem(pem: string): string | undefined {
  const [block] = pemBlocks(pem)
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST'
  try {
    return signatureProblem(block.bytes)
  } catch (error) {
    return error instanceof DerError ? error.message : `x509: ${error instanceof Error ? error.message : String(error)}`
  }
}

function signatureProblem(der: Uint8Array): string | undefined {
  const [request, ...rest] = readDer(der)
  if (!request || request.tag !== sequence) throw new DerError('asn1: structure error: tags don\'t match')
  if (rest.length > 0) return 'asn1: syntax error: trailing data'
  const [info, algorithm, signature] = readDer(request.content)
  if (info?.tag !== sequence || algorithm?.tag !== sequence || signature?.tag !== bitString) throw new DerError('asn1: structure error: tags don\'t match')
  const [, , publicKey] = readDer(info.content)
  const [identifier] = readDer(algorithm.content)
  if (publicKey?.tag !== sequence || !identifier) throw new DerError('asn1: structure error: tags don\'t match')
  const known = algorithms[oidOf(identifier)]
  if (!known) return 'x509: cannot verify signature: algorithm unimplemented'
  const [hash, failure] = known
  const key = createPublicKey({ key: Buffer.from(publicKey.whole), format: 'der', type: 'spki' })
  // The first byte of a bit string counts the bits that are not used.
  return verify(hash, info.whole, key, signature.content.subarray(1)) ? undefined : failure
}

/** What is wrong with issued certificates in PEM; undefined where nothing is, or nothing is there. */
export function certificateProblem(pem: string): string | undefined {
  if (pem === '') return undefined
  const blocks = pemBlocks(pem)
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block'
  for (const { type, bytes, hasHeaders } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (hasHeaders) return 'no PEM block headers are permitted'
    if (bytes.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates'
    try {
      new X509Certificate(bytes)
    } catch (error) {
      return `x509: malformed certificate: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return undefined
}
