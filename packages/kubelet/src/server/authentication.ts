import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { authentication, authorization } from '@berth/api'
import type { KubeClient } from '@berth/kube'
import type { KubeletSettings } from '../config/settings.ts'

export interface User { name: string; groups: string[]; uid?: string; extra?: Record<string, string[]> }

/** Who a request comes from, and whether they may. Answers of the API server are kept for as long as the configuration says. */
export interface Gate {
  /** Undefined where nobody can be made out. */
  authenticate(request: IncomingMessage): Promise<User | undefined>
  /** Undefined when allowed, else why not. */
  authorize(user: User, request: IncomingMessage): Promise<string | undefined>
}

const verbs: Record<string, string> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** The subresource of nodes that a path stands for; several where a finer one is tried before `proxy`. */
export function nodeSubresources(path: string): string[] {
  const under = (prefix: string): boolean => path === prefix || path.startsWith(`${prefix}/`)
  if (under('/stats')) return ['stats']
  if (under('/metrics')) return ['metrics']
  if (under('/logs')) return ['log']
  if (under('/checkpoint')) return ['checkpoint']
  if (under('/pods') || under('/runningpods')) return ['pods', 'proxy']
  if (under('/healthz')) return ['healthz', 'proxy']
  if (under('/configz')) return ['configz', 'proxy']
  return ['proxy']
}

const attributesOf = (request: IncomingMessage): { verb: string; path: string } => ({
  verb: verbs[request.method ?? 'GET'] ?? '',
  path: (request.url ?? '/').split('?')[0] ?? '/',
})

export function createGate(client: KubeClient, settings: KubeletSettings, now: () => number): Gate {
  const users = createCache<User | undefined>(now)
  const decisions = createCache<{ allowed: boolean; reason: string }>(now)

  const review = async (token: string): Promise<User | undefined> => {
    const answer = await client.create(authentication.tokenreviews, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: { name: '' }, spec: { token } })
    const { authenticated, user } = answer.status ?? {}
    if (!authenticated || !user?.username) return undefined
    return { name: user.username, groups: user.groups ?? [], ...(user.uid ? { uid: user.uid } : {}), ...(user.extra ? { extra: user.extra } : {}) }
  }
  const ask = async (user: User, verb: string, subresource: string): Promise<{ allowed: boolean; reason: string }> => {
    const answer = await client.create(authorization.subjectaccessreviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: { name: '' },
      spec: {
        user: user.name, groups: user.groups, ...(user.uid ? { uid: user.uid } : {}), ...(user.extra ? { extra: user.extra } : {}),
        resourceAttributes: { group: '', version: 'v1', resource: 'nodes', subresource, name: settings.nodeName, verb },
      },
    })
    return { allowed: answer.status?.allowed === true, reason: answer.status?.reason ?? '' }
  }

  return {
    authenticate: async (request) => {
      const fromCertificate = certificateUser(request)
      if (fromCertificate) return fromCertificate
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
      if (token && settings.webhookAuthentication) {
        const user = await users.get(token, settings.authenticationCacheMs, () => review(token))
        if (user) return user
        return undefined
      }
      if (!token && settings.anonymousAuth) return { name: 'system:anonymous', groups: ['system:unauthenticated'] }
      return undefined
    },
    authorize: async (user, request) => {
      if (!settings.webhookAuthorization) return undefined
      const { verb, path } = attributesOf(request)
      const subresources = nodeSubresources(path)
      for (const subresource of subresources) {
        const key = JSON.stringify([user.name, user.groups, verb, subresource])
        const { allowed } = await decisions.get(key, (d) => (d.allowed ? settings.authorizedCacheMs : settings.unauthorizedCacheMs), () => ask(user, verb, subresource))
        if (allowed) return undefined
      }
      return `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`
    },
  }
}

/** The subject of a client certificate that our CA has signed. */
function certificateUser(request: IncomingMessage): User | undefined {
  const socket = request.socket as TLSSocket
  if (!socket.encrypted || !socket.authorized) return undefined
  const subject = socket.getPeerCertificate()?.subject as { CN?: string; O?: string | string[] } | undefined
  if (!subject?.CN) return undefined
  return { name: subject.CN, groups: [...[subject.O ?? []].flat(), 'system:authenticated'] }
}

/** Keeps answers for a time; failures are not kept. */
function createCache<T>(now: () => number) {
  const entries = new Map<string, { value: T; until: number }>()
  return {
    get: async (key: string, ttl: number | ((value: T) => number), fetch: () => Promise<T>): Promise<T> => {
      const kept = entries.get(key)
      if (kept && kept.until > now()) return kept.value
      const value = await fetch()
      if (entries.size > 1000) entries.clear()
      entries.set(key, { value, until: now() + (typeof ttl === 'number' ? ttl : ttl(value)) })
      return value
    },
  }
}
