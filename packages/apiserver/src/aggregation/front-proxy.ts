// How this server shows itself, and whom it speaks for, to an aggregated server.
import type { APIService } from '@berth/api/types/apiregistration/v1'
import type { CertificateAndKey } from '@berth/kube'
import type { UserInfo } from '../interfaces.ts'
import type { BackendTls } from '../proxy/backend.ts'

/** What may stand in a header's name as it is. */
const legal = /[!#$&'*+.^_`|~0-9A-Za-z-]/

/** The headers that name a user, as the field's aggregator sends them. */
export function userHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  return {
    'X-Remote-User': name,
    ...(uid !== undefined && uid !== '' && { 'X-Remote-Uid': uid }),
    ...(groups.length > 0 && { 'X-Remote-Group': groups }),
    ...Object.fromEntries(Object.entries(extra).filter(([, values]) => values.length > 0).map(([key, values]) => [`X-Remote-Extra-${escapedKey(key)}`, values])),
  }
}

function escapedKey(key: string): string {
  let escaped = ''
  for (const byte of Buffer.from(key)) {
    const char = String.fromCharCode(byte)
    escaped += legal.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

/** Whether a header names a user to somebody (name in lower case): none of a client's own reaches an aggregated server. */
export function namesUser(header: string): boolean {
  return header === 'x-remote-user' || header === 'x-remote-uid' || header === 'x-remote-group' || header.startsWith('x-remote-extra-')
}

/** TLS towards the server of an APIService: it must show a certificate for `<service>.<namespace>.svc`, unless its certificate is not looked at. */
export function backendTls({ spec: { service, caBundle, insecureSkipTLSVerify } }: APIService, proxyClient: CertificateAndKey): BackendTls {
  return {
    cert: proxyClient.certificate, key: proxyClient.key, servername: `${service?.name ?? ''}.${service?.namespace ?? ''}.svc`, rejectUnauthorized: insecureSkipTLSVerify !== true,
    ...(caBundle !== undefined && caBundle !== '' && { ca: Buffer.from(caBundle, 'base64') }),
  }
}
