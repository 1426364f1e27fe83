// How a webhook is reached, as several kinds say it: by URL, or by a service.
import { checkPort, textOf } from './common.ts'
import { invalid, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Subdomain } from './formats.ts'

const form = '; desired format: https://host[/path]'

/** The parts of a URL as Go's url.Parse sees them; what is not absolute has no host. */
function partsOf(text: string): { scheme: string, host: string, user: string | undefined, query: string, fragment: string } {
  const [, scheme = '', authority, , query = '', fragment = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? []
  const at = authority?.lastIndexOf('@') ?? -1
  return { scheme: scheme.toLowerCase(), host: (authority ?? '').slice(at + 1), user: at < 0 ? undefined : authority?.slice(0, at), query, fragment }
}

/** A webhook's URL: https, a host, nothing after the path. */
export function checkWebhookUrl(field: string, url: string): FieldError[] {
  if (/\p{Cc}/u.test(url)) return [required(field, `url must be a valid URL: parse ${JSON.stringify(url)}: net/url: invalid control character in URL${form}`)]
  if (url.startsWith(':')) return [required(field, `url must be a valid URL: parse ${JSON.stringify(url)}: missing protocol scheme${form}`)]
  const { scheme, host, user, query, fragment } = partsOf(url)
  return [
    ...(scheme === 'https' ? [] : [invalid(field, scheme, `'https' is the only allowed URL scheme${form}`)]),
    ...(host === '' ? [invalid(field, host, `host must be specified${form}`)] : []),
    ...(user === undefined ? [] : [invalid(field, user, 'user information is not permitted in the URL')]),
    ...(fragment === '' ? [] : [invalid(field, fragment, 'fragments are not permitted in the URL')]),
    ...(query === '' ? [] : [invalid(field, query, 'query parameters are not permitted in the URL')]),
  ]
}

/** A webhook's service: namespace, name, port and a path of DNS names. */
export function checkWebhookService(field: string, service: { name?: string, namespace?: string, path?: string | null, port?: number }): FieldError[] {
  const { path } = service
  return [
    ...(textOf(service.name) === '' ? [required(`${field}.name`)] : []),
    ...(textOf(service.namespace) === '' ? [required(`${field}.namespace`)] : []),
    ...checkPort(`${field}.port`, service.port ?? 0).map((error) => ({ ...error, detail: `port is not valid: ${error.detail}` })),
    ...(path === undefined || path === null || path === '' || path === '/' ? [] : checkPath(`${field}.path`, path)),
  ]
}

function checkPath(field: string, path: string): FieldError[] {
  if (path === '//') return [invalid(field, path, 'segment[0] may not be empty')]
  const steps = path.slice(1).replace(/\/$/, '').split('/')
  return [
    ...(path.startsWith('/') ? [] : [invalid(field, path, "must start with a '/'")]),
    ...steps.flatMap((step, i) => (step === '' ? [invalid(field, path, `segment[${i}] may not be empty`)] : dns1123Subdomain(step).map((problem) => invalid(field, path, `segment[${i}]: ${problem}`)))),
  ]
}
