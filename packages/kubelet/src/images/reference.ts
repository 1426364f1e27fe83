/** An image's parts, with Docker's defaults filled in. */
export interface ImageReference { registry: string; repository: string; tag: string; digest: string; full: string }

const valid = /^[a-zA-Z0-9][a-zA-Z0-9._-]*(:[0-9]+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[\w][\w.-]{0,127})?(@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?$/

/** Parses an image's name as Docker does: no registry means docker.io, one word means library/, neither tag nor digest means latest. */
export function parseImage(image: string): ImageReference {
  if (!valid.test(image)) throw new Error(`couldn't parse image name "${image}": invalid reference format`)
  const [named = '', digest = ''] = image.split('@')
  const slash = named.lastIndexOf('/')
  const colon = named.indexOf(':', slash + 1)
  const name = colon < 0 ? named : named.slice(0, colon)
  const tag = colon < 0 ? (digest ? '' : 'latest') : named.slice(colon + 1)
  const first = name.split('/')[0] ?? ''
  // A first part in capitals cannot be a repository, so it is a registry.
  const hasRegistry = name.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase())
  const registry = hasRegistry ? first : 'docker.io'
  if (!hasRegistry && name !== name.toLowerCase()) throw new Error(`couldn't parse image name "${image}": invalid reference format: repository name (${name.includes('/') ? name : `library/${name}`}) must be lowercase`)
  const rest = hasRegistry ? name.slice(first.length + 1) : name
  const repository = registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest
  return { registry, repository, tag, digest, full: `${registry}/${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}` }
}

/** IfNotPresent, unless nothing but `latest` is asked for. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  try {
    return parseImage(image).tag === 'latest' ? 'Always' : 'IfNotPresent'
  } catch {
    return 'IfNotPresent'
  }
}
