import type { Secret, ServiceAccount } from '@berth/api/types/core/v1'
import { legacyClaims } from '@berth/kube'

export const tokenType = 'kubernetes.io/service-account-token'
const nameAnnotation = 'kubernetes.io/service-account.name'
const uidAnnotation = 'kubernetes.io/service-account.uid'

/** The account whose token a Secret is to hold: `uid` is empty where any account of that name will do. */
export function accountOf({ metadata: { annotations } }: Secret): { name: string; uid: string } {
  return { name: annotations?.[nameAnnotation] ?? '', uid: annotations?.[uidAnnotation] ?? '' }
}

/** Whether an account is the one that a Secret names. */
export function isOf(secret: Secret, account: ServiceAccount): boolean {
  const { name, uid } = accountOf(secret)
  return secret.metadata.namespace === account.metadata.namespace && name === account.metadata.name && (uid === '' || uid === account.metadata.uid)
}

/** The Secret with what it lacks of token, namespace and authority; undefined where it has all. */
export function filled(secret: Secret, account: ServiceAccount, rootCa: string, sign: (claims: Record<string, unknown>) => string): Secret | undefined {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const { data = {}, metadata } = secret
  const namespace = metadata.namespace ?? ''
  const added: Record<string, string> = {}
  if (rootCa !== '' && data['ca.crt'] !== base64(rootCa)) added['ca.crt'] = base64(rootCa)
  if ((data['namespace'] ?? '') === '') added['namespace'] = base64(namespace)
  if ((data['token'] ?? '') === '') added['token'] = base64(sign(legacyClaims({ namespace, secret: metadata.name, account: account.metadata.name, accountUid: account.metadata.uid ?? '' })))
  if (Object.keys(added).length === 0) return undefined
  return { ...secret, metadata: { ...metadata, annotations: { ...metadata.annotations, [nameAnnotation]: account.metadata.name, [uidAnnotation]: account.metadata.uid ?? '' } }, data: { ...data, ...added } }
}
