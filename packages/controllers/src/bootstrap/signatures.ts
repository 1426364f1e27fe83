import { createHmac } from 'node:crypto'
import type { Secret } from '@berth/api/types/core/v1'
import { readBootstrapToken } from '@berth/kube'

const kubeconfigKey = 'kubeconfig'
const signaturePrefix = 'jws-kubeconfig-'

/** A detached JSON Web Signature (RFC 7515, HS256): the content is left out, for whoever checks has it. */
export function detachedSignature(content: string, tokenId: string, tokenSecret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: tokenId })).toString('base64url')
  const signature = createHmac('sha256', tokenSecret).update(`${header}.${Buffer.from(content).toString('base64url')}`).digest('base64url')
  return `${header}..${signature}`
}

/** The ConfigMap's data with the kubeconfig signed by each token that is for signing, and by no other; undefined where that is so already, or there is no kubeconfig. */
export function signedData(data: Readonly<Record<string, string>>, secrets: readonly Secret[], now: number): Record<string, string> | undefined {
  const content = data[kubeconfigKey]
  if (content === undefined) return undefined
  const signed = Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith(signaturePrefix)))
  for (const secret of secrets) {
    const token = readBootstrapToken(secret)
    if (!token?.isForSigning || (token.expiresAt !== undefined && token.expiresAt <= now)) continue
    signed[signaturePrefix + token.id] = detachedSignature(content, token.id, token.secret)
  }
  const keys = Object.keys(signed)
  return keys.length === Object.keys(data).length && keys.every((key) => signed[key] === data[key]) ? undefined : signed
}
