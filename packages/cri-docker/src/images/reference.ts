/** The domain of images whose name says none, and the folder of those without one. */
const defaultDomain = 'docker.io'

/** An image's name in its parts. */
export interface ImageReference {
  domain: string
  path: string
  tag: string
  digest: string
}

/** Reads an image's name as Docker does: `nginx` is `docker.io/library/nginx:latest`. Undefined for what is none. */
export function parseReference(text: string): ImageReference | undefined {
  const match = /^([^@]+?)(?::([\w][\w.-]{0,127}))?(?:@([a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}))?$/.exec(text)
  const name = match?.[1]
  if (name === undefined) return undefined
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const hasDomain = first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase()
  const domain = hasDomain ? first : defaultDomain
  const rest = hasDomain ? name.slice(slash + 1) : name
  const path = domain === defaultDomain && !rest.includes('/') ? `library/${rest}` : rest
  if (!/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/.test(path)) return undefined
  const digest = match?.[3] ?? ''
  return { domain, path, tag: match?.[2] ?? (digest === '' ? 'latest' : ''), digest }
}

/** The whole name: `docker.io/library/nginx:latest`. */
export function fullName({ domain, path, tag, digest }: ImageReference): string {
  return `${domain}/${path}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`
}

/** A name that Docker shows, made whole; one that cannot be read stays. */
export function wholeName(text: string): string {
  const reference = parseReference(text)
  return reference ? fullName(reference) : text
}
