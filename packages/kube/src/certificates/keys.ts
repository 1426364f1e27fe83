import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'

const generate = promisify(generateKeyPair)

/** A new P-256 private key as PEM (SEC 1, `EC PRIVATE KEY`, the form Go's tools write). */
export async function createPrivateKeyPem(): Promise<string> {
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString()
}

/** The public half of a private key, as PEM (SPKI). */
export function publicKeyPem(privateKey: string): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
}

/** What WebCrypto needs to know about a key to import it and to sign with it. */
export interface KeyAlgorithms {
  readonly importing: webcrypto.EcKeyImportParams | webcrypto.RsaHashedImportParams
  readonly signing: webcrypto.EcdsaParams | webcrypto.RsaHashedImportParams
}

const curves: Record<string, { curve: string; hash: string }> = {
  prime256v1: { curve: 'P-256', hash: 'SHA-256' },
  secp384r1: { curve: 'P-384', hash: 'SHA-384' },
  secp521r1: { curve: 'P-521', hash: 'SHA-512' },
}

function algorithmsOf(key: KeyObject): KeyAlgorithms {
  if (key.asymmetricKeyType === 'ec') {
    const known = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
    if (known) return { importing: { name: 'ECDSA', namedCurve: known.curve }, signing: { name: 'ECDSA', hash: known.hash } }
  }
  if (key.asymmetricKeyType === 'rsa') {
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    return { importing: rsa, signing: rsa }
  }
  throw new TypeError(`unsupported private key type ${key.asymmetricKeyType ?? key.type}: ECDSA (P-256, P-384, P-521) and RSA are supported`)
}

/** Imports a PEM private key (SEC 1, PKCS#1 or PKCS#8; ECDSA or RSA) for signing, with its public half. */
export async function importKeyPair(pem: string): Promise<webcrypto.CryptoKeyPair & { algorithms: KeyAlgorithms }> {
  const key = createPrivateKey(pem)
  const algorithms = algorithmsOf(key)
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithms.importing, false, ['sign']),
    webcrypto.subtle.importKey('spki', createPublicKey(pem).export({ type: 'spki', format: 'der' }), algorithms.importing, true, ['verify']),
  ])
  return { privateKey, publicKey, algorithms }
}
