// Asking a webhook: one AdmissionReview there, one back (admission.k8s.io/v1).
import { request } from 'node:https'
import { isIP } from 'node:net'
import { core } from '@berth/api'
import type { MutatingWebhook, ValidatingWebhook, WebhookClientConfig } from '@berth/api/types/admissionregistration/v1'
import type { AdmissionAttributes, ResourceStore } from '../../interfaces.ts'
import { serviceEndpoints } from '../../proxy/service-endpoints.ts'
import { admissionRequest } from './request.ts'

/** What a webhook answered. */
export interface WebhookAnswer {
  readonly allowed: boolean
  readonly status?: { readonly message?: string, readonly reason?: string, readonly code?: number }
  /** A JSON patch. */
  readonly patch?: unknown
  readonly warnings: readonly string[]
}

const defaultTimeoutSeconds = 10
const maxAnswerBytes = 3 * 1024 * 1024

/** Where a webhook is reached: its URL, or one of its service's endpoints under the service's name. */
export interface WebhookTarget { readonly url: string, readonly host: string, readonly port: number, readonly serverName: string, readonly path: string }

/** Throws an Error that says why there is none. */
export function webhookTarget(config: WebhookClientConfig, store: ResourceStore): WebhookTarget {
  if (config.url !== undefined) {
    const url = new URL(config.url)
    // Go's clients join paths, and their servers redirect what is not joined: envtest makes `https://127.0.0.1:9443//validate`.
    url.pathname = url.pathname.replaceAll(/\/{2,}/g, '/')
    return { url: url.href, host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443), serverName: url.hostname.replace(/^\[|\]$/g, ''), path: url.pathname + url.search }
  }
  const { service } = config
  if (!service) throw new Error('webhook has neither url nor service')
  const { name, namespace, path = '/', port = 443 } = service
  const found = store.get(core.services, name, namespace)
  if (!found) throw new Error(`service ${JSON.stringify(name)} not found`)
  const servicePort = found.spec?.ports?.find((each) => each.port === port)
  if (!servicePort) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`)
  const serverName = `${name}.${namespace}.svc`
  const url = `https://${serverName}:${port}${path}`
  const [endpoint] = serviceEndpoints(store, found, servicePort)
  if (!endpoint) throw new Error(`Post ${JSON.stringify(url)}: no endpoints available for service ${JSON.stringify(name)}`)
  return { url, host: endpoint.address, port: endpoint.port, serverName, path }
}

/** Asks a webhook. Throws an Error where it cannot be reached, answers too late, or answers nonsense. */
export async function callWebhook(webhook: ValidatingWebhook | MutatingWebhook, attributes: AdmissionAttributes, store: ResourceStore): Promise<WebhookAnswer> {
  if (!webhook.admissionReviewVersions.includes('v1')) throw new Error(`webhook speaks ${webhook.admissionReviewVersions.join(', ')}; this server speaks v1`)
  const asked = admissionRequest(attributes)
  const seconds = webhook.timeoutSeconds ?? defaultTimeoutSeconds
  const target = webhookTarget(webhook.clientConfig, store)
  const review = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: { ...asked, object: attributes.object ?? null, oldObject: attributes.oldObject ?? null } }
  const text = await postReview(target, webhook.clientConfig.caBundle, seconds, JSON.stringify(review)).catch((error: unknown) => {
    throw new Error(`failed to call webhook: ${(error as Error).message}`, { cause: error })
  })
  return readAnswer(text, asked.uid)
}

/** Posts a review to a webhook, whose certificate may be in the bundle itself (Go trusts any certificate there, OpenSSL only roots). Resolves with the body of the answer; rejects with an Error in upstream's words. */
export function postReview(target: WebhookTarget, caBundle: string | undefined, seconds: number, body: string): Promise<string> {
  const timeout = `timeout=${seconds}s`
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new Error(`Post ${JSON.stringify(`${target.url}${target.url.includes('?') ? '&' : '?'}${timeout}`)}: ${error.name === 'TimeoutError' || error.name === 'AbortError' ? 'context deadline exceeded' : error.message}`, { cause: error }))
    const outgoing = request({
      host: target.host, port: target.port, path: `${target.path}${target.path.includes('?') ? '&' : '?'}${timeout}`, method: 'POST', ...(isIP(target.serverName) === 0 ? { servername: target.serverName } : {}), signal: AbortSignal.timeout(seconds * 1000),
      headers: { 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(body), host: `${target.serverName}` },
      ...(caBundle === undefined || caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64'), allowPartialTrustChain: true }),
    }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes) outgoing.destroy(new Error('the answer is too large'))
        chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`the server answered ${response.statusCode}: ${text.slice(0, 200)}`))
      })
    })
    outgoing.on('error', fail)
    outgoing.end(body)
  })
}

/** Reads an AdmissionReview. Throws an Error that says what is wrong with it. */
export function readAnswer(text: string, uid: string): WebhookAnswer {
  const review = JSON.parse(text) as { apiVersion?: string, kind?: string, response?: { uid?: string, allowed?: boolean, status?: WebhookAnswer['status'], patch?: string, patchType?: string, warnings?: string[] } }
  if (review.kind !== 'AdmissionReview' || review.apiVersion !== 'admission.k8s.io/v1') throw new Error(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(review.apiVersion)}, Kind=${String(review.kind)}`)
  const { response } = review
  if (!response) throw new Error('webhook response is missing')
  if (response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (response.patch !== undefined && response.patchType !== 'JSONPatch') throw new Error(`webhook returned invalid response.patchType of ${JSON.stringify(response.patchType ?? '')}`)
  return {
    allowed: response.allowed === true, ...(response.status ? { status: response.status } : {}), warnings: response.warnings ?? [],
    ...(response.patch === undefined ? {} : { patch: JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8')) as unknown }),
  }
}
