import type { PersistentVolumeClaim, Pod, Service } from '@berth/api/types/core/v1'
import { parseQuantity, quantityOf } from '@berth/api'
import { addQuantities, one, podQuantities, type Quantities } from './amounts.ts'

/** A kind as quotas name it: `count/deployments.apps`. */
export interface QuotaResource { readonly group: string; readonly resource: string }

/** The names under which core kinds are counted besides `count/<resource>`. */
const plainCounts = new Set(['configmaps', 'persistentvolumeclaims', 'pods', 'replicationcontrollers', 'resourcequotas', 'secrets', 'services'])

/** The compute resources that have both `requests.x` and the plain name. */
const compute = ['cpu', 'memory', 'ephemeral-storage']
const isExtended = (name: string): boolean => name.includes('/') && !name.startsWith('kubernetes.io/')

/** A pod counts while it has not ended; one that is past its grace period is taken to be gone. */
export function isCountedPod(pod: Pod, now: number): boolean {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  return deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined || now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** What an object uses of a namespace's quotas (upstream: the quota evaluators). */
export function quotaUsage({ group, resource }: QuotaResource, object: object, now: number): Quantities {
  const usage: Quantities = { [`count/${group === '' ? resource : `${resource}.${group}`}`]: one }
  if (group !== '') return usage
  if (resource === 'pods') {
    if (isCountedPod(object as Pod, now)) addQuantities(usage, podUsage(object as Pod))
    return usage
  }
  if (plainCounts.has(resource)) usage[resource] = one
  if (resource === 'services') addQuantities(usage, serviceUsage(object as Service))
  if (resource === 'persistentvolumeclaims') addQuantities(usage, claimUsage(object as PersistentVolumeClaim))
  return usage
}

function podUsage(pod: Pod): Quantities {
  const usage: Quantities = { pods: one }
  const requests = podQuantities(pod, 'requests')
  const limits = podQuantities(pod, 'limits')
  for (const [name, amount] of Object.entries(requests)) {
    if (compute.includes(name)) usage[name] = amount
    if (compute.includes(name) || name.startsWith('hugepages-') || isExtended(name)) usage[`requests.${name}`] = amount
    if (name.startsWith('hugepages-')) usage[name] = amount
  }
  for (const [name, amount] of Object.entries(limits)) if (compute.includes(name)) usage[`limits.${name}`] = amount
  return usage
}

function serviceUsage({ spec }: Service): Quantities {
  const ports = spec?.ports ?? []
  const usage: Quantities = {}
  if (spec?.type === 'NodePort') usage['services.nodeports'] = quantityOf(ports.length)
  if (spec?.type === 'LoadBalancer') {
    usage['services.loadbalancers'] = one
    const allocates = spec.allocateLoadBalancerNodePorts !== false
    usage['services.nodeports'] = quantityOf(allocates ? ports.length : ports.filter(({ nodePort }) => nodePort).length)
  }
  return usage
}

function claimUsage({ spec, metadata, status }: PersistentVolumeClaim): Quantities {
  const usage: Quantities = {}
  const text = spec?.resources?.requests?.['storage']
  const storageClass = spec?.storageClassName ?? metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? ''
  if (storageClass !== '') usage[`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`] = one
  if (text === undefined) return usage
  let storage = parseQuantity(text)
  const allocated = status?.allocatedResources?.['storage']
  if (allocated !== undefined && parseQuantity(allocated).cmp(storage) > 0) storage = parseQuantity(allocated)
  usage['requests.storage'] = storage
  if (storageClass !== '') usage[`${storageClass}.storageclass.storage.k8s.io/requests.storage`] = storage
  return usage
}
