import type { ResourceRequirements } from '../../types/core/v1.ts'
import { checkFormat, negativeMessage, quantity, textOf } from '../common.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Label, qualifiedName } from '../formats.ts'

const standardForContainers = new Set(['cpu', 'memory', 'ephemeral-storage'])
const standard = new Set([...standardForContainers, 'requests.cpu', 'requests.memory', 'requests.ephemeral-storage', 'limits.cpu', 'limits.memory', 'limits.ephemeral-storage', 'pods', 'resourcequotas',
  'services', 'replicationcontrollers', 'secrets', 'configmaps', 'persistentvolumeclaims', 'storage', 'requests.storage', 'services.nodeports', 'services.loadbalancers'])
const wholeOnly = new Set(['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps', 'persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'])

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** Kubernetes' own resources: without a domain, or of kubernetes.io. */
const isNative = (name: string) => !name.includes('/') || name.includes('kubernetes.io/')
/** Resources of a vendor, which are counted in whole numbers and never overcommitted. */
export const isExtended = (name: string): boolean => !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
export const isOvercommitAllowed = (name: string) => isNative(name) && !isHugePages(name)

export function checkResourceName(field: string, name: string): FieldError[] {
  const errors = checkFormat(field, name, qualifiedName)
  if (errors.length > 0 || name.includes('/') || standard.has(name) || isHugePages(name)) return errors
  return [invalid(field, name, 'must be a standard resource type or fully qualified')]
}

export function checkContainerResourceName(field: string, name: string): FieldError[] {
  const errors = checkResourceName(field, name)
  if (!name.includes('/')) return standardForContainers.has(name) || isHugePages(name) ? errors : [...errors, invalid(field, name, 'must be a standard resource for containers')]
  return isNative(name) || isExtended(name) ? errors : [...errors, invalid(field, name, "doesn't follow extended resource name standard")]
}

const podLevel = ['cpu', 'memory']

function checkPodResourceName(field: string, name: string): FieldError[] {
  const errors = checkResourceName(field, name)
  if (errors.length > 0 || podLevel.includes(name) || isHugePages(name)) return errors
  return [notSupported(field, name, podLevel)]
}

/** An amount of a resource: not negative, whole where the resource is counted. */
export function checkResourceQuantity(field: string, name: string, text: string): FieldError[] {
  const amount = quantity(text)
  const errors: FieldError[] = []
  if (amount.sign() < 0) errors.push(invalid(field, text, negativeMessage))
  if ((wholeOnly.has(name) || isExtended(name)) && amount.milliValue() % 1000n !== 0n) errors.push(invalid(field, text, 'must be an integer'))
  return errors
}

/** A container's or (with `forPod`) a pod's requests, limits and claims. */
export function checkResources(field: string, resources: ResourceRequirements | undefined, claimNames: ReadonlySet<string>, forPod = false): FieldError[] {
  const { limits = {}, requests = {}, claims } = resources ?? {}
  const checkName = forPod ? checkPodResourceName : checkContainerResourceName
  const errors: FieldError[] = []
  for (const [name, amount] of Object.entries(limits)) {
    const at = `${field}.limits[${name}]`
    errors.push(...checkName(at, name), ...checkResourceQuantity(at, name, amount), ...checkHugePages(at, name, amount))
  }
  for (const [name, amount] of Object.entries(requests)) {
    const at = `${field}.requests[${name}]`
    errors.push(...checkName(at, name), ...checkResourceQuantity(at, name, amount), ...checkAgainstLimit(field, name, amount, limits[name]), ...checkHugePages(at, name, amount))
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) errors.push(forbidden(field, 'HugePages require cpu or memory'))
  return [...errors, ...checkClaims(`${field}.claims`, claims, claimNames)]
}

function checkAgainstLimit(field: string, name: string, request: string, limit: string | undefined): FieldError[] {
  if (limit === undefined) return isOvercommitAllowed(name) ? [] : [required(`${field}.limits`, 'Limit must be set for non overcommitable resources')]
  const order = quantity(request).cmp(quantity(limit))
  if (order !== 0 && !isOvercommitAllowed(name)) return [invalid(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`)]
  return order > 0 ? [invalid(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)] : []
}

function checkHugePages(field: string, name: string, amount: string): FieldError[] {
  if (!isHugePages(name)) return []
  const page = quantity(name.slice('hugepages-'.length)).value()
  const value = quantity(amount).value()
  return page > 0n && value % page === 0n ? [] : [invalid(field, amount, `${amount} is not positive integer multiple of ${name}`)]
}

function checkClaims(field: string, claims: ResourceRequirements['claims'], known: ReadonlySet<string>): FieldError[] {
  const seen = new Set<string>()
  return (claims ?? []).flatMap((claim, i) => {
    const at = `${field}[${i}]`
    const name = textOf(claim.name)
    if (name === '') return [required(at)]
    const errors: FieldError[] = []
    const key = textOf(claim.request) === '' ? name : `${name}/${claim.request}`
    if (seen.has(name)) errors.push(duplicate(at, name))
    else {
      if (textOf(claim.request) !== '') errors.push(...checkFormat(`${at}.request`, textOf(claim.request), dns1123Label))
      if (seen.has(key)) errors.push(duplicate(at, key))
      else if (key === name) for (const other of seen) if (other.startsWith(`${name}/`)) errors.push(duplicate(at, name))
      seen.add(key)
    }
    if (known.has(name)) return errors
    const which = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`
    return [...errors, { type: 'NotFound', field: at, badValue: name, detail: `must be one of the names in pod.spec.resourceClaims${which}` } satisfies FieldError]
  })
}
