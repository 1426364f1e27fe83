// Why a server could not be reached, in the words that Go's clients have for it.

const dialFailures: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused', EHOSTUNREACH: 'no route to host', ENETUNREACH: 'network is unreachable', ETIMEDOUT: 'connection timed out',
}
const unknownAuthority = new Set(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_SIGNATURE_FAILURE'])

/** The reason of a failed connection to `host:port`. */
export function transportError(error: unknown, address: string): string {
  const { code = '', name, message } = rootOf(error)
  const dial = dialFailures[code]
  if (dial !== undefined) return `dial tcp ${address}: connect: ${dial}`
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${address.replace(/:\d+$/, '')}: no such host`
  if (code === 'ECONNRESET') return /socket hang up/.test(message) ? 'EOF' : `read tcp ${address}: read: connection reset by peer`
  if (unknownAuthority.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `tls: failed to verify certificate: x509: ${altNames(message)}`
  if (name === 'TimeoutError' || name === 'AbortError') return 'context deadline exceeded'
  return message
}

function rootOf(error: unknown): { code?: string, name: string, message: string } {
  let at = error
  while (at instanceof Error && at.cause instanceof Error) at = at.cause
  if (at instanceof AggregateError && at.errors.length > 0) return rootOf(at.errors[0])
  return at instanceof Error ? at : { name: '', message: String(error) }
}

/** `Host: a.b.svc. is not in the cert's altnames: DNS:x, DNS:y` as Go says it. */
function altNames(message: string): string {
  const [, host, names] = /Host: (\S+)\. is not in the cert's altnames: (.*)$/.exec(message) ?? []
  if (host === undefined || names === undefined || names === '') return message.replace(/^[^:]*: /, '')
  return `certificate is valid for ${names.replaceAll(/(?:DNS|IP Address):/g, '')}, not ${host}`
}
