// From a method and a path to upstream's RequestInfo: which resource is asked for, and with which verb.
import type { RequestInfo } from '../interfaces.ts'

const namespaceSubresources = new Set(['status', 'finalize'])

const verbs = new Map([['POST', 'create'], ['GET', 'get'], ['HEAD', 'get'], ['PUT', 'update'], ['PATCH', 'patch'], ['DELETE', 'delete']])

/** A request's target in its two parts: the path as it was sent (nothing is decoded or resolved), and the query. Of an absolute URL, scheme and authority are dropped. Never throws. */
export function splitTarget(target: string): { path: string, query: URLSearchParams } {
  const own = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/#.*$/s, '')
  const mark = own.indexOf('?')
  const path = mark < 0 ? own : own.slice(0, mark)
  return { path: path === '' ? '/' : path, query: new URLSearchParams(mark < 0 ? '' : own.slice(mark + 1)) }
}

/** Parses `/api/v1/namespaces/ns/pods/name/log`, `/apis/apps/v1/deployments`, `/healthz`. `query` decides between get, list and watch. */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const info: RequestInfo = {
    isResourceRequest: false, path, verb: method.toLowerCase(), apiPrefix: '', apiGroup: '', apiVersion: '', namespace: '', resource: '', subresource: '', name: '',
    parts: [], prefix: '', fieldSelector: '', labelSelector: '',
  }
  let parts = splitPath(path)
  if (parts.length < 3) return info
  if (parts[0] !== 'api' && parts[0] !== 'apis') return info
  info.apiPrefix = parts[0]
  parts = parts.slice(1)
  if (info.apiPrefix === 'apis') {
    if (parts.length < 3) return info
    info.apiGroup = parts[0] ?? ''
    parts = parts.slice(1)
  }
  info.isResourceRequest = true
  info.apiVersion = parts[0] ?? ''
  parts = parts.slice(1)
  info.verb = verbs.get(method) ?? ''
  if (parts[0] === 'watch' || parts[0] === 'proxy') {
    // The old prefixes: they make the verb, whatever the method is.
    info.prefix = parts[0]
    info.verb = parts[0]
    parts = parts.slice(1)
  }
  if (parts[0] === 'namespaces') {
    if (parts.length > 1) {
      info.namespace = parts[1] ?? ''
      if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) parts = parts.slice(2)
    }
  }
  info.parts = parts
  info.resource = parts[0] ?? ''
  info.name = parts[1] ?? ''
  info.subresource = parts[2] ?? ''
  if (info.name === '' && info.verb === 'get') info.verb = isTrue(query.get('watch')) ? 'watch' : 'list'
  if (info.name === '' && info.verb === 'delete') info.verb = 'deletecollection'
  if (info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection') {
    info.fieldSelector = query.get('fieldSelector') ?? ''
    info.labelSelector = query.get('labelSelector') ?? ''
    const name = /^metadata\.name==?([^,=!]+)$/.exec(info.fieldSelector)?.[1]
    if (name !== undefined) info.name = name
  }
  return info
}

function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\/+|\/+$/g, '')
  if (trimmed === '') return []
  return trimmed.split('/').map((part) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  })
}

/** Query booleans as upstream converts them: anything but absent, '', 0 and false. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}
