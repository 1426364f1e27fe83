import type { PolicyRule } from '@berth/api/types/rbac/v1'
import type { Transport, TransportRequest } from '@berth/kube'

/** One thing that was asked, as RBAC names it. */
export interface Question { readonly verb: string; readonly group: string; readonly resource: string }

/** What RBAC would call a request; undefined for paths without a resource (discovery, health). */
export function questionOf({ method, path }: Pick<TransportRequest, 'method' | 'path'>): Question | undefined {
  const url = new URL(path, 'http://api')
  const [root, ...rest] = url.pathname.split('/').filter((part) => part !== '')
  const group = root === 'apis' ? rest.shift() ?? '' : ''
  rest.shift()
  if (rest[0] === 'namespaces' && rest.length > 2) rest.splice(0, 2)
  const [resource, name, ...subresource] = rest
  if ((root !== 'api' && root !== 'apis') || resource === undefined) return undefined
  const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: name === undefined ? 'deletecollection' : 'delete' }
  const reads = name !== undefined ? 'get' : url.searchParams.get('watch') === 'true' || url.searchParams.get('watch') === '1' ? 'watch' : 'list'
  return { verb: verbs[method] ?? reads, group, resource: [resource, ...subresource].join('/') }
}

/** Whether some rule lets this be asked. */
export function isAllowed(rules: readonly PolicyRule[], { verb, group, resource }: Question): boolean {
  return rules.some((rule) => rule.verbs.includes(verb) && rule.apiGroups?.includes(group) && rule.resources?.includes(resource))
}

/** Records what goes over a transport. */
export class Asked {
  readonly #seen = new Map<string, Question>()
  /** Requests that were answered with 403. */
  readonly forbidden: string[] = []

  get questions(): readonly Question[] {
    return [...this.#seen.values()]
  }

  has(verb: string, group: string, resource: string): boolean {
    return this.#seen.has(`${verb} ${group} ${resource}`)
  }

  listen(transport: Transport): Transport {
    return {
      request: async (request) => {
        const question = questionOf(request)
        if (question) this.#seen.set(`${question.verb} ${question.group} ${question.resource}`, question)
        const answer = await transport.request(request)
        if (answer.status === 403) this.forbidden.push(`${request.method} ${request.path}`)
        return answer
      },
      close: () => transport.close(),
    }
  }
}
