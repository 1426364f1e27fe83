import type { ObjectFieldSelector, ResourceFieldSelector } from '../../types/core/v1.ts'
import { checkFormat, child, quantity, textOf } from '../common.ts'
import { invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { qualifiedName } from '../formats.ts'

/** What an environment variable can show of its pod, sorted. */
export const envFieldPaths = ['metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.serviceAccountName', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs']
/** What a file of a downward API volume can show of its pod, sorted. */
export const volumeFieldPaths = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']

/** All that a fieldPath may name at all; `spec.host` is an old word for nodeName. */
const convertible = new Set(['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid', 'spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName',
  'spec.schedulerName', 'status.phase', 'status.hostIP', 'status.hostIPs', 'status.podIP', 'status.podIPs', 'spec.host'])

/** A reference to a field of the pod. */
export function checkFieldRef(field: string, ref: ObjectFieldSelector, supported: readonly string[]): FieldError[] {
  if (textOf(ref.apiVersion) === '') return [required(child(field, 'apiVersion'))]
  if (textOf(ref.fieldPath) === '') return [required(child(field, 'fieldPath'))]
  const subscripted = /^(.*)\['([^']*)'\]$/.exec(ref.fieldPath)
  const label = subscripted?.[1] ?? ref.fieldPath
  if (ref.apiVersion !== 'v1') return [invalid(child(field, 'fieldPath'), ref.fieldPath, `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`)]
  if (!convertible.has(label) || (subscripted && label !== 'metadata.annotations' && label !== 'metadata.labels')) {
    const why = subscripted && convertible.has(label) ? `field label does not support subscript: ${ref.fieldPath}` : `field label not supported: ${ref.fieldPath}`
    return [invalid(child(field, 'fieldPath'), ref.fieldPath, `error converting fieldPath: ${why}`)]
  }
  if (subscripted) {
    const key = subscripted[2] ?? ''
    return checkFormat(field, label === 'metadata.annotations' ? key.toLowerCase() : key, qualifiedName)
  }
  const path = label === 'spec.host' ? 'spec.nodeName' : label
  return supported.includes(path) ? [] : [notSupported(child(field, 'fieldPath'), path, supported)]
}

const resourcePaths = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory']
const isHugePages = (resource: string) => resource.startsWith('limits.hugepages-') || resource.startsWith('requests.hugepages-')
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

/** A reference to a container's requests or limits; in a volume it must name the container. */
export function checkResourceFieldRef(field: string, ref: ResourceFieldSelector, inVolume: boolean): FieldError[] {
  const resource = textOf(ref.resource)
  const errors: FieldError[] = []
  if (inVolume && textOf(ref.containerName) === '') errors.push(required(child(field, 'containerName')))
  else if (resource === '') errors.push(required(child(field, 'resource')))
  else if (!resourcePaths.includes(resource) && !isHugePages(resource)) errors.push(notSupported(child(field, 'resource'), resource, resourcePaths))
  return [...errors, ...checkDivisor(child(field, 'divisor'), resource, ref.divisor)]
}

function checkDivisor(field: string, resource: string, divisor: string | undefined): FieldError[] {
  if (divisor === undefined || quantity(divisor).isZero()) return []
  const bytes = (what: string) => (byteDivisors.includes(String(divisor)) ? [] : [invalid(field, resource, `only divisor's values ${byteDivisors.join(', ')} are supported with the ${what} resource`)])
  switch (resource) {
    case 'limits.cpu': case 'requests.cpu':
      return ['1', '1m'].includes(String(divisor)) ? [] : [invalid(field, resource, "only divisor's values 1m and 1 are supported with the cpu resource")]
    case 'limits.memory': case 'requests.memory':
      return bytes('memory')
    case 'limits.ephemeral-storage': case 'requests.ephemeral-storage':
      return bytes('local ephemeral storage')
    default:
      return isHugePages(resource) ? bytes('hugepages') : []
  }
}
