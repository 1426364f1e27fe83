import { readFileSync } from 'node:fs'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { JsonSyntaxError, parseJson } from '@berth/api'
import type { ExtenderConfig, ExtenderTls } from '../config/types.ts'
import { ExtenderError } from './errors.ts'

/** More than any answer on a cluster of any size has. */
const maxAnswerBytes = 512 * 1024 * 1024

/** Sends a verb's arguments to an extender and gives its answer, as JSON. Throws ExtenderError. */
export type Send = (verb: string, args: string) => Promise<unknown>

function tlsOptions({ enableHTTPS, tls }: Pick<ExtenderConfig, 'enableHTTPS' | 'tls'>) {
  const given: ExtenderTls = tls ?? { insecure: false }
  const read = (data: string | undefined, file: string | undefined): string | undefined => data ?? (file === undefined ? undefined : readFileSync(file, 'utf8'))
  const ca = read(given.caData, given.caFile)
  const cert = read(given.certData, given.certFile)
  const key = read(given.keyData, given.keyFile)
  return {
    ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }),
    ...(given.serverName === undefined ? {} : { servername: given.serverName }),
    // As upstream: HTTPS that is asked for without an authority trusts anybody.
    rejectUnauthorized: !given.insecure && !(enableHTTPS && ca === undefined),
  }
}

/** How Go's client says it; operators know these words. */
function reworded(error: NodeJS.ErrnoException, url: URL): string {
  const at = `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`
  switch (error.code) {
    case 'ECONNREFUSED': return `dial tcp ${at}: connect: connection refused`
    case 'ENOTFOUND': return `dial tcp: lookup ${url.hostname}: no such host`
    case 'ECONNRESET': return 'EOF'
    default: return error.message
  }
}

/** A client of one extender, over connections that are kept open. Reads the TLS files once, now. */
export function httpSender(config: Pick<ExtenderConfig, 'urlPrefix' | 'enableHTTPS' | 'tls' | 'httpTimeoutMs'>): Send & { close(): void } {
  const base = config.urlPrefix.replace(/\/+$/, '')
  const secure = new URL(base).protocol === 'https:'
  const agent = secure ? new HttpsAgent({ keepAlive: true, ...tlsOptions(config) }) : new HttpAgent({ keepAlive: true })
  const send = (verb: string, args: string): Promise<unknown> => new Promise((resolve, reject) => {
    const url = new URL(`${base}/${verb}`)
    const fail = (error: NodeJS.ErrnoException): void => {
      // The words say it all; a cause would be appended to them.
      reject(new ExtenderError('unreachable', `Post ${JSON.stringify(url.href)}: ${reworded(error, url)}`))
    }
    const timer = setTimeout(() => {
      reject(new ExtenderError('timeout', `Post ${JSON.stringify(url.href)}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)`))
      request.destroy()
    }, config.httpTimeoutMs)
    const receive = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size <= maxAnswerBytes) return
        reject(new ExtenderError('malformed', `the answer of ${url.href} is larger than ${maxAnswerBytes} bytes`))
        request.destroy()
      })
      response.on('error', fail)
      response.on('end', () => {
        clearTimeout(timer)
        if (response.statusCode !== 200) reject(new ExtenderError('status', `failed ${verb} with extender at URL ${url.href}, code ${response.statusCode ?? 0}`))
        else resolve(Buffer.concat(chunks, size))
      })
    }
    const body = Buffer.from(args)
    const request = (secure ? httpsRequest : httpRequest)(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': body.length, 'user-agent': 'berth-scheduler' } }, receive)
    request.on('error', (error) => {
      clearTimeout(timer)
      fail(error)
    })
    request.on('close', () => clearTimeout(timer))
    request.end(body)
  }).then((bytes) => decoded(bytes as Buffer))
  return Object.assign(send, { close: () => agent.destroy() })
}

function decoded(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    // Said again by the parser that words it as Go does.
    try {
      parseJson(bytes)
    } catch (worded) {
      if (worded instanceof JsonSyntaxError) throw new ExtenderError('malformed', bytes.length === 0 ? 'EOF' : worded.message)
    }
    throw new ExtenderError('malformed', (error as Error).message)
  }
}
