// What this server asks of aggregated servers for itself: whether they are there, and what they serve.
import type { APIService } from '@berth/api/types/apiregistration/v1'
import type { CertificateAndKey } from '@berth/kube'
import type { ResourceStore } from '../interfaces.ts'
import { sendToBackend } from '../proxy/backend.ts'
import { serviceOf } from './api-services.ts'
import { backendTls, userHeaders } from './front-proxy.ts'
import { serviceAddress } from './service-address.ts'
import { transportError } from '../proxy/transport-error.ts'

/** Reaches aggregated servers. */
export interface BackendAccess {
  readonly store: ResourceStore
  readonly toEndpoints: boolean
  /** Asked each time: certificates are renewed while the server runs. */
  proxyClient(): CertificateAndKey
}

export interface BackendAnswer { readonly status: number, readonly headers: Readonly<Record<string, string | string[] | undefined>>, readonly body: string }

/** The most that is read of a document: OpenAPI of a large server has some MiB. */
const mostBytes = 64 * 1024 * 1024

/** GETs a path of an APIService's server, as `system:kube-aggregator` with all rights. Rejects with upstream's words where no answer comes in time. */
export async function askBackend(access: BackendAccess, service: APIService, path: string, options: { headers?: Record<string, string>, timeoutMs: number, signal: AbortSignal }): Promise<BackendAnswer> {
  const key = serviceOf(service)
  if (!key) throw new Error(`${service.metadata.name} names no service`)
  const address = serviceAddress(access.store, key, access.toEndpoints)
  const url = `https://${address}${path}`
  try {
    const answer = await sendToBackend(url, {
      method: 'GET', headers: { ...options.headers, ...userHeaders({ name: 'system:kube-aggregator', groups: ['system:masters'] }) }, tls: backendTls(service, access.proxyClient()),
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]),
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > mostBytes) throw new Error(`the answer is larger than ${mostBytes} bytes`)
      chunks.push(chunk)
    }
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString('utf8') }
  } catch (error) {
    throw new BackendUnreachable(url, transportError(error, address), error)
  }
}

/** No answer came: `url` was asked. */
export class BackendUnreachable extends Error {
  readonly url: string
  constructor(url: string, reason: string, cause: unknown) {
    super(`Get ${JSON.stringify(url)}: ${reason}`, { cause })
    this.name = 'BackendUnreachable'
    this.url = url
  }
}
