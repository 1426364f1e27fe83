import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { AuthenticateRequest } from './component-server.ts'

/** What a request proves itself with: a bearer token, and a client certificate that the server's CA has verified. */
export function requestCredentials(request: IncomingMessage): AuthenticateRequest {
  const found: AuthenticateRequest = {}
  const bearer = /^bearer\s+(.+)$/i.exec(request.headers.authorization?.trim() ?? '')?.[1]
  if (bearer !== undefined) found.bearerToken = bearer.trim()
  const socket = request.socket as TLSSocket
  if (socket.authorized === true) {
    const subject: { CN?: string | string[]; O?: string | string[] } | undefined = socket.getPeerCertificate().subject
    const list = (value: string | string[] | undefined): string[] => value === undefined ? [] : Array.isArray(value) ? value : [value]
    const [commonName] = list(subject?.CN)
    if (commonName !== undefined) found.clientCertificate = { commonName, organizations: list(subject?.O) }
  }
  return found
}
