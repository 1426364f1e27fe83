const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const domainLabel = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const domain = `(?:${domainLabel}(?:\\.${domainLabel})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const reference = new RegExp(`^(?:(${domain})/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`)

/** The tag of an image: `latest` where neither tag nor digest is given, '' for one with a digest alone or that is no image name. */
export function imageTag(image: string | undefined): string {
  const parts = reference.exec(image ?? '')
  if (!parts) return ''
  const [, , , tag, digest] = parts
  return tag ?? (digest === undefined ? 'latest' : '')
}

/** When an image is pulled unless its user says so: the latest always, any other if it is missing. */
export const defaultPullPolicy = (image: string | undefined): 'Always' | 'IfNotPresent' => (imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent')
