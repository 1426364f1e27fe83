import { CelEvaluationError } from '../errors.ts'
import { readsFirst } from './cost.ts'
import { overload } from './overload.ts'
import { listOf, ValueMap } from '../values/containers.ts'
import { OpaqueValue } from '../values/value.ts'
import type { Overload } from './overload.ts'
import type { Value } from '../values/value.ts'

/** A URL as Go's net/url splits it; the WHATWG parser would normalize what must stay as written. */
export class UrlValue extends OpaqueValue {
  readonly typeName = 'kubernetes.URL'
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(parts: { text: string; scheme: string; host: string; path: string; query: string }) {
    super()
    this.text = parts.text
    this.scheme = parts.scheme
    this.host = parts.host
    this.path = parts.path
    this.query = parts.query
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && other.text === this.text
  }

  /** The host without port and brackets. */
  hostname(): string {
    const bracketed = /^\[([^\]]*)\]/.exec(this.host)
    return bracketed === null ? this.host.replace(/:\d*$/, '') : bracketed[1] ?? ''
  }

  port(): string {
    return /:(\d*)$/.exec(this.host)?.[1] ?? ''
  }

  /** The path with everything escaped that Go's EscapedPath escapes. */
  escapedPath(): string {
    if (/^(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@/[\]]|%[0-9A-Fa-f]{2})*$/.test(this.path)) return this.path
    return unescape(this.path, '').replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/gu, character =>
      [...new TextEncoder().encode(character)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''))
  }

  queryMap(): Value {
    const values = new Map<string, string[]>()
    for (const pair of this.query.split('&')) {
      // Go drops pairs with a semicolon or a broken escape.
      if (pair === '' || pair.includes(';') || /%(?![0-9A-Fa-f]{2})/.test(pair)) continue
      const [key = '', ...rest] = pair.split('=')
      const decode = (text: string) => unescape(text.replaceAll('+', ' '), '')
      values.set(decode(key), [...values.get(decode(key)) ?? [], decode(rest.join('='))])
    }
    return new ValueMap([...values].map(([key, list]) => [key, listOf(list)]))
  }
}

function unescape(text: string, context: string): string {
  const broken = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(text)?.[0]
  if (broken !== undefined) throw new CelEvaluationError(`${context}invalid URL escape ${JSON.stringify(broken)}`)
  const bytes = [...new TextEncoder().encode(text)]
  const out: number[] = []
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0
    if (byte === 0x25) {
      out.push(Number.parseInt(String.fromCharCode(bytes[index + 1] ?? 0, bytes[index + 2] ?? 0), 16))
      index += 2
    } else out.push(byte)
  }
  return Buffer.from(out).toString('utf8')
}

/** Reads an absolute URL or path. Throws with the reason that url.ParseRequestURI gives. */
export function parseUrl(text: string): UrlValue {
  const fail = (reason: string): never => {
    throw new CelEvaluationError(`parse ${JSON.stringify(text)}: ${reason}`)
  }
  if ([...text].some(character => character < ' ' || character === '\u007f')) fail('net/url: invalid control character in URL')
  if (text === '') fail('empty url')
  const schemeMatch = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(text)
  if (schemeMatch === null && text.startsWith(':')) fail('missing protocol scheme')
  const scheme = schemeMatch?.[1]?.toLowerCase() ?? ''
  const [beforeFragment = ''] = (schemeMatch === null ? text : text.slice(schemeMatch[0].length)).split('#')
  const question = beforeFragment.indexOf('?')
  let rest = question < 0 ? beforeFragment : beforeFragment.slice(0, question)
  const query = question < 0 ? '' : beforeFragment.slice(question + 1)
  if (!rest.startsWith('/')) {
    if (scheme === '') fail('invalid URI for request')
    else return new UrlValue({ text, scheme, host: '', path: '', query })
  }
  let host = ''
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const end = rest.indexOf('/', 2)
    const authority = end < 0 ? rest.slice(2) : rest.slice(2, end)
    rest = end < 0 ? '' : rest.slice(end)
    host = authority.slice(authority.lastIndexOf('@') + 1)
    checkHost(host, fail)
  }
  const broken = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(rest)?.[0]
  if (broken !== undefined) fail(`invalid URL escape ${JSON.stringify(broken)}`)
  return new UrlValue({ text, scheme, host, path: rest, query })
}

function checkHost(host: string, fail: (reason: string) => never): void {
  if (host.startsWith('[') && !host.includes(']')) fail('missing \']\' in host')
  const port = host.startsWith('[') ? host.slice(host.indexOf(']') + 1) : /:.*$/.exec(host)?.[0] ?? ''
  if (port !== '' && !/^:\d*$/.test(port)) fail(`invalid port ${JSON.stringify(port)} after host`)
  const character = /[ "<>^`{|}\\]/.exec(host)?.[0]
  if (character !== undefined) fail(`invalid character ${JSON.stringify(character)} in host name`)
}

function toUrl(text: string): UrlValue {
  try {
    return parseUrl(text)
  } catch (error) {
    if (error instanceof CelEvaluationError) throw new CelEvaluationError(`URL parse error during conversion from string: ${error.message}`, { cause: error })
    throw error
  }
}

function isUrl(text: string): boolean {
  try {
    parseUrl(text)
    return true
  } catch (error) {
    if (error instanceof CelEvaluationError) return false
    throw error
  }
}

const type = 'kubernetes.URL'

/** Kubernetes' URL library. */
export const urls: readonly Overload[] = [
  overload(`url(string): ${type}`, toUrl, readsFirst()),
  overload('isURL(string): bool', isUrl),
  overload(`${type}->getScheme(): string`, (url: UrlValue) => url.scheme),
  overload(`${type}->getHost(): string`, (url: UrlValue) => url.host),
  overload(`${type}->getHostname(): string`, (url: UrlValue) => url.hostname()),
  overload(`${type}->getPort(): string`, (url: UrlValue) => url.port()),
  overload(`${type}->getEscapedPath(): string`, (url: UrlValue) => url.escapedPath()),
  overload(`${type}->getQuery(): map(string, list(string))`, (url: UrlValue) => url.queryMap()),
]
