import { isIP } from 'node:net'
import type { Service } from '../../types/core/v1.ts'
import { checkFormat, checkOneOf, child, textOf } from '../common.ts'
import { forbidden, invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'
import { dns1123Subdomain, qualifiedName } from '../formats.ts'
import { checkCidr, checkIp } from '../ip.ts'

const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const onlyLoadBalancers = "may only be used when `type` is 'LoadBalancer'"

/** Source ranges and node ports of load balancers. */
export function checkLoadBalancer({ metadata, spec }: Service): FieldError[] {
  const isLoadBalancer = spec?.type === 'LoadBalancer'
  const errors: FieldError[] = []
  const ranges = spec?.loadBalancerSourceRanges ?? []
  const annotation = metadata.annotations?.[rangesAnnotation]
  if (ranges.length > 0) {
    if (!isLoadBalancer) errors.push(forbidden('spec.LoadBalancerSourceRanges', onlyLoadBalancers))
    ranges.forEach((range, i) => errors.push(...checkCidr(`spec.LoadBalancerSourceRanges[${i}]`, range.trim())))
  } else if (annotation !== undefined) {
    const field = `metadata.annotations[${rangesAnnotation}]`
    if (!isLoadBalancer) errors.push(forbidden(field, onlyLoadBalancers))
    if (annotation.trim() !== '') errors.push(...annotation.split(',').flatMap((range) => checkCidr(field, range.trim())))
  }
  if (spec?.allocateLoadBalancerNodePorts !== undefined && !isLoadBalancer) errors.push(forbidden('spec.allocateLoadBalancerNodePorts', onlyLoadBalancers))
  if (isLoadBalancer && spec.allocateLoadBalancerNodePorts === undefined) errors.push(required('allocateLoadBalancerNodePorts'))
  return errors
}

/** The class of load balancer, which stays while the service is one. */
export function checkLoadBalancerClass({ spec }: Service, old?: Service): FieldError[] {
  const name = spec?.loadBalancerClass
  if (spec?.type !== 'LoadBalancer') return name === undefined ? [] : [forbidden('spec.loadBalancerClass', onlyLoadBalancers)]
  const changed = old?.spec?.type === 'LoadBalancer' && old.spec.loadBalancerClass !== name
  return [...(changed ? [invalid('spec.loadBalancerClass', name ?? null, 'may not change once set')] : []), ...(name === undefined ? [] : checkFormat('spec.loadBalancerClass', name, qualifiedName))]
}

/** What a load balancer reports of itself. */
export function checkLoadBalancerStatus({ spec, status }: Service): FieldError[] {
  const ingress = status?.loadBalancer?.ingress ?? []
  const field = 'status.loadBalancer.ingress'
  if (spec?.type !== 'LoadBalancer' && ingress.length > 0) return [forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")]
  return ingress.flatMap(({ ip = '', ipMode, hostname = '' }, i) => {
    const at = `${field}[${i}]`
    const errors = ip === '' ? [] : checkIp(child(at, 'ip'), ip)
    if (ipMode === undefined) {
      if (ip !== '') errors.push(required(child(at, 'ipMode'), 'must be specified when `ip` is set'))
    } else if (ip === '') errors.push(forbidden(child(at, 'ipMode'), 'may not be specified when `ip` is not set'))
    else errors.push(...checkOneOf(child(at, 'ipMode'), textOf(ipMode), ['Proxy', 'VIP']))
    if (hostname !== '') errors.push(...checkFormat(child(at, 'hostname'), hostname, dns1123Subdomain), ...(isIP(hostname) === 0 ? [] : [invalid(child(at, 'hostname'), hostname, 'must be a DNS name, not an IP address')]))
    return errors
  })
}
