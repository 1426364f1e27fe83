import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { HTTPGetAction } from '@berth/api/types/core/v1'
import { failure, type Outcome, success } from './outcome.ts'

const maxBody = 10 * 1024
const maxRedirects = 10

/** The request of an httpGet action to this address: its URL and headers as upstream's prober sends them. */
export function httpTarget(action: HTTPGetAction, podIp: string, port: number): { url: URL; headers: Record<string, string> } {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const host = action.host || podIp
  const path = action.path ?? ''
  const url = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${path.startsWith('/') ? path : `/${path}`}`)
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.36', accept: '*/*', connection: 'close' }
  for (const { name, value } of action.httpHeaders ?? []) {
    // A header given empty is one that must not be sent.
    if (value === '' && (name.toLowerCase() === 'user-agent' || name.toLowerCase() === 'accept')) delete headers[name.toLowerCase()]
    else headers[name.toLowerCase()] = value
  }
  return { url, headers }
}

/** GETs the URL; 200 to 399 is success. Redirects are followed on the same host only. Certificates are not verified, as documented. */
export async function probeHttp(url: URL, headers: Record<string, string>, timeoutMs: number): Promise<Outcome> {
  const deadline = Date.now() + timeoutMs
  let target = url
  for (let hop = 0; hop <= maxRedirects; hop++) {
    let answer: { status: number; location: string | undefined; body: string }
    try {
      answer = await get(target, headers, Math.max(1, deadline - Date.now()))
    } catch (error) {
      return failure(`Get "${target.href}": ${error instanceof Error ? error.message : String(error)}`)
    }
    const { status, location, body } = answer
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = new URL(location, target)
      if (next.hostname !== url.hostname) return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` }
      target = next
      continue
    }
    if (status >= 200 && status < 400) return success(body)
    return failure(`HTTP probe failed with statuscode: ${status}`)
  }
  return failure(`Get "${target.href}": stopped after ${maxRedirects} redirects`)
}

function get(url: URL, headers: Record<string, string>, timeoutMs: number): Promise<{ status: number; location: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = make(url, { headers, agent: false, rejectUnauthorized: false, method: 'GET' }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      const done = (): void => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body: Buffer.concat(chunks).toString('utf8') })
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > maxBody) {
          done()
          request.destroy()
        }
      })
      response.on('end', done)
      response.on('error', () => done())
    })
    const timer = setTimeout(() => request.destroy(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')), timeoutMs)
    request.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      reject(error.code === 'ECONNREFUSED' ? new Error(`dial tcp ${url.host}: connect: connection refused`, { cause: error }) : error.code === 'ECONNRESET' ? new Error('EOF', { cause: error }) : error)
    })
    request.end()
  })
}
