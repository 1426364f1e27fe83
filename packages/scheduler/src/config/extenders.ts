import { fieldErrors, type FieldError } from '@berth/api'
import { parseDuration } from '@berth/kube'
import type { ExtenderConfig, ExtenderTls } from './types.ts'

/** An extender as a file has it; its types have been checked. */
export interface ExtenderFile {
  urlPrefix?: string
  filterVerb?: string
  preemptVerb?: string
  prioritizeVerb?: string
  bindVerb?: string
  weight?: number
  enableHTTPS?: boolean
  tlsConfig?: { insecure?: boolean; serverName?: string; certFile?: string; keyFile?: string; caFile?: string; certData?: string; keyData?: string; caData?: string }
  httpTimeout?: string
  nodeCacheCapable?: boolean
  managedResources?: Array<{ name?: string; ignoredByScheduler?: boolean }>
  ignorable?: boolean
}

const defaultTimeout = '5s'

/** A name under which resources are extended: with a domain that is not Kubernetes' own, and no quota's prefix. */
function isExtendedResourceName(name: string): boolean {
  if (!name.includes('/') || /(^|\.)kubernetes\.io\//.test(name) || name.startsWith('requests.')) return false
  return isQualifiedName(`requests.${name}`)
}

function isQualifiedName(name: string): boolean {
  const [prefix, rest, ...more] = name.includes('/') ? name.split('/') : [undefined, name]
  if (more.length > 0 || rest === undefined || rest.length > 63 || !/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(rest)) return false
  return prefix === undefined || (prefix.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(prefix))
}

/** Checks extenders as upstream's validateExtenders, and that each can be called at all. */
export function checkExtenders(extenders: readonly ExtenderFile[]): FieldError[] {
  const errors: FieldError[] = []
  const managed = new Set<string>()
  for (const [i, extender] of extenders.entries()) {
    const at = `extenders[${i}]`
    if (!URL.canParse(extender.urlPrefix ?? '')) errors.push(fieldErrors.invalid(`${at}.urlPrefix`, extender.urlPrefix ?? '', 'must be the URL of the extender, such as http://127.0.0.1:8080/scheduler'))
    if (extender.prioritizeVerb && (extender.weight ?? 0) <= 0) errors.push(fieldErrors.invalid(`${at}.weight`, extender.weight ?? 0, 'must have a positive weight applied to it'))
    for (const [j, { name = '' }] of (extender.managedResources ?? []).entries()) {
      const field = `${at}.managedResources[${j}].name`
      if (!isExtendedResourceName(name)) errors.push(fieldErrors.invalid(field, name, 'is an invalid extended resource name'))
      if (managed.has(name)) errors.push(fieldErrors.invalid(field, name, 'duplicate extender managed resource name'))
      managed.add(name)
    }
  }
  const binders = extenders.filter(({ bindVerb }) => bindVerb).length
  if (binders > 1) errors.push(fieldErrors.invalid('extenders', `found ${binders} extenders implementing bind`, 'only one extender can implement bind'))
  return errors
}

/** Files carry certificates in base64. */
function pem(data: string | undefined): string | undefined {
  return data === undefined || data === '' ? undefined : Buffer.from(data, 'base64').toString('utf8')
}

function tlsOf(tls: NonNullable<ExtenderFile['tlsConfig']>): ExtenderTls {
  const given = { serverName: tls.serverName, certFile: tls.certFile, keyFile: tls.keyFile, caFile: tls.caFile, certData: pem(tls.certData), keyData: pem(tls.keyData), caData: pem(tls.caData) }
  return { insecure: tls.insecure ?? false, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) }
}

/** A checked extender with its defaults. */
export function extenderOf(file: ExtenderFile): ExtenderConfig {
  const timeout = parseDuration(file.httpTimeout ?? defaultTimeout)
  return {
    urlPrefix: file.urlPrefix ?? '',
    filterVerb: file.filterVerb ?? '', preemptVerb: file.preemptVerb ?? '', prioritizeVerb: file.prioritizeVerb ?? '', bindVerb: file.bindVerb ?? '',
    weight: file.weight ?? 0,
    enableHTTPS: file.enableHTTPS ?? false,
    ...(file.tlsConfig ? { tls: tlsOf(file.tlsConfig) } : {}),
    httpTimeoutMs: timeout === 0 ? parseDuration(defaultTimeout) : timeout,
    nodeCacheCapable: file.nodeCacheCapable ?? false,
    managedResources: (file.managedResources ?? []).map(({ name = '', ignoredByScheduler = false }) => ({ name, ignoredByScheduler })),
    ignorable: file.ignorable ?? false,
  }
}
