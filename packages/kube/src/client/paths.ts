import type { ResourceInfo } from '@berth/api'
import { UsageError } from '../errors.ts'

export interface PathOptions {
  namespace?: string
  name?: string
  subresource?: string
}

/** The path of a resource: `/apis/apps/v1/namespaces/a/deployments/b/status`. Without a namespace, that of all namespaces (lists and watches). */
export function resourcePath(resource: ResourceInfo, { namespace, name, subresource }: PathOptions = {}): string {
  const parts = resource.group === '' ? ['api', resource.version] : ['apis', resource.group, resource.version]
  if (resource.namespaced && namespace !== undefined && namespace !== '') parts.push('namespaces', namespace)
  else if (resource.namespaced && name !== undefined) throw new UsageError(`${resource.resource} ${JSON.stringify(name)}: a namespace is needed`)
  parts.push(resource.resource)
  if (name !== undefined) {
    if (name === '') throw new UsageError('resource name may not be empty')
    parts.push(name)
  }
  if (subresource !== undefined) parts.push(...subresource.split('/'))
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('')
}

/** `?a=1&b=x` of what is defined; empty where nothing is. */
export function queryString(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== '' && value !== false)
  return pairs.length === 0 ? '' : `?${pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`).join('&')}`
}
