import type { CertificateSigningRequest } from '@berth/api/types/certificates/v1'
import type { readCertificateRequest } from '@berth/kube'

export const apiServerClient = 'kubernetes.io/kube-apiserver-client'
export const kubeletClient = 'kubernetes.io/kube-apiserver-client-kubelet'
export const kubeletServing = 'kubernetes.io/kubelet-serving'

/** What the request itself asks for. */
export type Names = Awaited<ReturnType<typeof readCertificateRequest>>

const nodePrefix = 'system:node:'

function usagesAre(usages: readonly string[], auth: 'client auth' | 'server auth'): boolean {
  const set = new Set(usages)
  set.delete('key encipherment')
  return set.size === 2 && set.has('digital signature') && set.has(auth)
}

/** Why a signer does not sign such a request, in upstream's words; undefined where it does. */
export function refusal(signer: string, names: Names, usages: readonly string[]): string | undefined {
  if (signer === apiServerClient) {
    const allowed = new Set(['digital signature', 'key encipherment', 'client auth'])
    return usages.includes('client auth') && usages.every((usage) => allowed.has(usage)) ? undefined : 'usages did not match [client auth digital signature key encipherment]'
  }
  if (names.organizations.length !== 1 || names.organizations[0] !== 'system:nodes') return 'subject organization is not system:nodes'
  const [dns, ips] = [names.dnsNames?.length ?? 0, names.ipAddresses?.length ?? 0]
  if (names.emails > 0) return 'email subjectAltNames are not allowed'
  if (names.uris > 0) return 'URI subjectAltNames are not allowed'
  if (signer === kubeletClient) {
    if (dns > 0) return 'DNS subjectAltNames are not allowed'
    if (ips > 0) return 'IP subjectAltNames are not allowed'
  } else if (dns + ips === 0) return 'DNS or IP subjectAltName is required'
  if (!names.commonName.startsWith(nodePrefix)) return 'subject common name does not begin with system:node:'
  if (!usagesAre(usages, signer === kubeletClient ? 'client auth' : 'server auth')) return 'usages did not match'
  return undefined
}

export function hasCondition(request: CertificateSigningRequest, type: string): boolean {
  return request.status?.conditions?.some((condition) => condition.type === type) === true
}

const hourMs = 3600_000

/** Whether a request has had its time: an hour after it was denied, failed or issued, a day where it was never answered, or `expired`. */
export function isPast(request: CertificateSigningRequest, expired: boolean, now: number): boolean {
  const since = (time: string | undefined): number => time === undefined ? 0 : now - Date.parse(time)
  const issued = (request.status?.certificate ?? '') !== ''
  for (const condition of request.status?.conditions ?? []) {
    const age = since(condition.lastUpdateTime)
    if ((condition.type === 'Denied' || condition.type === 'Failed') && age > hourMs) return true
    if (condition.type === 'Approved' && age > (issued ? hourMs : 24 * hourMs)) return true
  }
  return (issued && expired) || ((request.status?.conditions ?? []).length === 0 && !issued && since(request.metadata.creationTimestamp) > 24 * hourMs)
}
