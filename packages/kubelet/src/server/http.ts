import type { IncomingMessage, ServerResponse } from 'node:http'

/** An answer that is no success, with the text that upstream's server gives. */
export class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.status = status
  }
}

export interface RouteRequest { request: IncomingMessage; response: ServerResponse; url: URL; parts: string[] }

export function sendText(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

export const sendJson = (response: ServerResponse, value: unknown): void => sendText(response, 200, JSON.stringify(value), 'application/json')

/** A whole number of a query; throws 400 where it is none. */
export function numberParam(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name)
  if (text === null || text === '') return undefined
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new HttpError(400, `invalid value for ${name}: ${JSON.stringify(text)}: must be a whole number`)
  return value
}

/** A flag of a query, as Go's conversion reads it: present and neither false nor 0. */
export function flagParam(url: URL, ...names: string[]): boolean {
  return names.some((name) => {
    const text = url.searchParams.get(name)
    return text !== null && text !== 'false' && text !== '0'
  })
}
