import type { Service, ServicePort } from '../types/core/v1.ts'
import { checkFormat, checkOneOf, checkPort, checkRequiredOneOf, child, textOf } from './common.ts'
import { duplicate, forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain, qualifiedName } from './formats.ts'
import { toInternal } from './internal/forms.ts'
import { checkIp, checkNonSpecialIp } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkLabels, checkMeta, checkMetaUpdate, nameIsDns1035Label } from './object-meta.ts'
import { protocols } from './pod/containers.ts'
import { checkPortOrName } from './pod/handlers.ts'
import { checkClusterIps, checkClusterIpsUpdate, checkFamiliesUpdate, isHeadless } from './service/cluster-ips.ts'
import { checkLoadBalancer, checkLoadBalancerClass, checkLoadBalancerStatus } from './service/load-balancer.ts'
import { checkExternalTraffic, needsHealthCheck } from './service/traffic.ts'

function checkPortFields(port: ServicePort, at: string, needsName: boolean, names: Set<string>): FieldError[] {
  const name = textOf(port.name)
  const errors: FieldError[] = []
  if (name === '') {
    if (needsName) errors.push(required(child(at, 'name')))
  } else {
    errors.push(...checkFormat(child(at, 'name'), name, dns1123Label))
    if (names.has(name)) errors.push(duplicate(child(at, 'name'), name))
    names.add(name)
  }
  return [
    ...errors,
    ...checkPort(child(at, 'port'), port.port),
    ...checkRequiredOneOf(child(at, 'protocol'), port.protocol, protocols),
    ...checkPortOrName(child(at, 'targetPort'), port.targetPort),
    ...(port.appProtocol === undefined ? [] : checkFormat(child(at, 'appProtocol'), port.appProtocol, qualifiedName)),
  ]
}

/** What a service of a type must and may not have. */
function checkType({ spec }: Service): FieldError[] {
  const errors: FieldError[] = []
  const headless = isHeadless(spec)
  if (!spec?.ports?.length && !headless && spec?.type !== 'ExternalName') errors.push(required('spec.ports'))
  if (headless && (spec?.type === 'LoadBalancer' || spec?.type === 'NodePort')) errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  if (spec?.type !== 'ExternalName') return errors
  const why = 'may not be set for ExternalName services'
  if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', why))
  if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', why))
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', why))
  const name = textOf(spec.externalName).replace(/\.$/, '')
  return [...errors, ...(name === '' ? [required('spec.externalName')] : checkFormat('spec.externalName', name, dns1123Subdomain))]
}

function checkAffinity({ spec }: Service): FieldError[] {
  const at = 'spec.sessionAffinityConfig'
  const errors = checkRequiredOneOf('spec.sessionAffinity', spec?.sessionAffinity, ['ClientIP', 'None'])
  const config = spec?.sessionAffinityConfig
  if (spec?.sessionAffinity === 'None' && config) errors.push(forbidden(at, 'must not be set when session affinity is None'))
  if (spec?.sessionAffinity !== 'ClientIP') return errors
  const why = 'when session affinity type is ClientIP'
  if (!config) return [...errors, required(at, why)]
  if (!config.clientIP) return [...errors, required(`${at}.clientIP`, why)]
  const seconds = config.clientIP.timeoutSeconds
  if (seconds === undefined) return [...errors, required(`${at}.clientIP.timeoutSeconds`, why)]
  return seconds > 0 && seconds <= 86400 ? errors : [...errors, invalid(`${at}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than 86400')]
}

function checkPortsTogether({ spec }: Service): FieldError[] {
  const ports = spec?.ports ?? []
  const errors: FieldError[] = []
  const each = (visit: (port: ServicePort, at: string) => void) => ports.forEach((port, i) => visit(port, `spec.ports[${i}]`))
  if (spec?.type === 'ClusterIP') {
    each((port, at) => {
      if (port.nodePort) errors.push(forbidden(child(at, 'nodePort'), "may not be used when `type` is 'ClusterIP'"))
    })
  }
  const nodePorts = new Set<string>()
  each((port, at) => {
    const key = `${port.protocol}/${port.nodePort}`
    if (port.nodePort && nodePorts.has(key)) errors.push(duplicate(child(at, 'nodePort'), port.nodePort))
    nodePorts.add(key)
  })
  const seen = new Set<string>()
  each((port, at) => {
    const key = `${port.protocol}/${port.port}`
    if (seen.has(key)) errors.push(duplicate(at, toInternal('ServicePort', { protocol: port.protocol, port: port.port })))
    seen.add(key)
  })
  return errors
}

const hints = 'service.kubernetes.io/topology-aware-hints'
const mode = 'service.kubernetes.io/topology-mode'

function checkService(service: Service): FieldError[] {
  const { metadata, spec } = service
  const errors = checkMeta(metadata, true, nameIsDns1035Label)
  const { [hints]: hintsValue, [mode]: modeValue } = metadata.annotations ?? {}
  if (hintsValue !== undefined && modeValue !== undefined && hintsValue !== modeValue) {
    errors.push(invalid(`metadata.annotations[${mode}]`, modeValue, `must match annotations[${hints}] when both are specified`))
  }
  const names = new Set<string>()
  const ports = spec?.ports ?? []
  errors.push(...checkType(service), ...ports.flatMap((port, i) => checkPortFields(port, `spec.ports[${i}]`, ports.length > 1, names)))
  errors.push(...checkLabels('spec.selector', spec?.selector), ...checkAffinity(service), ...checkClusterIps(service))
  spec?.externalIPs?.forEach((ip, i) => {
    const problems = checkIp(`spec.externalIPs[${i}]`, ip)
    errors.push(...(problems.length > 0 ? problems : checkNonSpecialIp(`spec.externalIPs[${i}]`, ip)))
  })
  errors.push(...checkRequiredOneOf('spec.type', spec?.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']), ...checkPortsTogether(service))
  errors.push(...checkLoadBalancer(service), ...checkLoadBalancerClass(service), ...checkExternalTraffic(service))
  const policy = spec?.internalTrafficPolicy
  if (policy === undefined && ['NodePort', 'LoadBalancer', 'ClusterIP'].includes(textOf(spec?.type))) errors.push(required('spec.internalTrafficPolicy'))
  if (policy !== undefined) errors.push(...checkOneOf('spec.internalTrafficPolicy', policy, ['Cluster', 'Local']))
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
  const distribution = spec?.trafficDistribution
  if (distribution !== undefined && !distributions.includes(distribution)) errors.push(notSupported('spec.trafficDistribution', distribution, distributions))
  return errors
}

export const serviceValidation: KindValidation<Service> = {
  namespaced: true,
  create: checkService,
  update(service, old, subresource) {
    const errors = checkMetaUpdate(service.metadata, old.metadata)
    if (subresource === 'status') return [...errors, ...checkLoadBalancerStatus(service)]
    errors.push(...checkClusterIpsUpdate(service, old), ...checkFamiliesUpdate(service, old), ...checkLoadBalancerClass(service, old))
    if (needsHealthCheck(old.spec) && needsHealthCheck(service.spec) && (old.spec?.healthCheckNodePort ?? 0) !== (service.spec?.healthCheckNodePort ?? 0)) {
      errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
    }
    return [...errors, ...checkService(service)]
  },
}
