import type { Secret } from '@berth/api/types/core/v1'
import { parseImage } from './reference.ts'

/** What is sent to a registry. */
export interface Credentials { username: string; password: string; auth: string; serverAddress: string; identityToken: string; registryToken: string }

interface DockerEntry { username?: string; password?: string; auth?: string; identitytoken?: string; registrytoken?: string }

/** The entries of a pull secret: `.dockerconfigjson` or the older `.dockercfg`. Throws where the JSON is none. */
function entriesOf(secret: Secret): Record<string, DockerEntry> {
  const json = secret.data?.['.dockerconfigjson']
  if (json !== undefined) return (JSON.parse(Buffer.from(json, 'base64').toString('utf8')) as { auths?: Record<string, DockerEntry> }).auths ?? {}
  const old = secret.data?.['.dockercfg']
  return old === undefined ? {} : (JSON.parse(Buffer.from(old, 'base64').toString('utf8')) as Record<string, DockerEntry>)
}

function credentialsOf(server: string, entry: DockerEntry): Credentials {
  let { username = '', password = '' } = entry
  if (entry.auth) {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    if (colon >= 0) [username, password] = [text.slice(0, colon), text.slice(colon + 1)]
  }
  return { username, password, auth: '', serverAddress: server, identityToken: entry.identitytoken ?? '', registryToken: entry.registrytoken ?? '' }
}

const split = (server: string): { host: string; path: string } => {
  const bare = server.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const [host = '', ...path] = bare.split('/')
  const rest = path.join('/').replace(/^v[12]$/, '')
  return { host: host === 'index.docker.io' ? 'docker.io' : host, path: rest }
}

/** Does the entry's host, with `*` for one label, name this registry? */
function hostMatches(pattern: string, host: string): boolean {
  const [patternName = '', patternPort] = pattern.split(':')
  const [name = '', port] = host.split(':')
  if (patternPort !== undefined && patternPort !== port) return false
  if (patternPort === undefined && port !== undefined) return false
  const want = patternName.split('.')
  const have = name.split('.')
  return want.length === have.length && want.every((w, i) => new RegExp(`^${w.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(have[i] ?? ''))
}

/** The credentials that fit an image, the most specific first; empty where no secret names its registry. */
export function credentialsFor(image: string, secrets: readonly Secret[]): Credentials[] {
  const { registry, repository } = parseImage(image)
  const found: { credentials: Credentials; length: number }[] = []
  for (const secret of secrets) {
    for (const [server, entry] of Object.entries(entriesOf(secret))) {
      const { host, path } = split(server)
      if (!hostMatches(host, registry) || !(path === '' || repository === path || repository.startsWith(`${path}/`))) continue
      found.push({ credentials: credentialsOf(server, entry), length: path.length })
    }
  }
  return found.toSorted((a, b) => b.length - a.length).map((f) => f.credentials)
}
