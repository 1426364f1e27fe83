import { badRequest } from '../errors.ts'

/** What a proxy is asked for: `name`, `name:port`, or `scheme:name:port` (the port may be empty). */
export interface ProxyName {
  readonly scheme: 'http' | 'https'
  readonly name: string
  /** A number or a port's name; '' for the usual one. */
  readonly port: string
}

/** Reads the name of a proxy request. Throws BadRequest in upstream's words; `kind` is `node`, `pod` or `service`. */
export function parseProxyName(text: string, kind: string): ProxyName {
  const parts = text.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 1 && first !== '') return { scheme: 'http', name: first, port: '' }
  if (parts.length === 2 && first !== '') return { scheme: 'http', name: first, port: second }
  if (parts.length === 3 && (first === 'http' || first === 'https') && second !== '') return { scheme: first, name: second, port: third }
  throw badRequest(`invalid ${kind} request ${JSON.stringify(text)}`)
}
