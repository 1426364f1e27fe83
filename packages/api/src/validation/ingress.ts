import { isIP } from 'node:net'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressRule, IngressTLS } from '../types/networking/v1.ts'
import { checkKindAndName } from './autoscaling/reference.ts'
import { checkFormat, checkImmutable, checkOneOf, checkPort, textOf } from './common.ts'
import { checkDomainPath } from './domain-path.ts'
import { forbidden, invalid, notSupported, required, tooLong } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain, portName, wildcardDns1123Subdomain } from './formats.ts'
import { checkIp } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const classAnnotation = 'kubernetes.io/ingress.class'
const controllerLength = 250
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEndings = ['/..', '/.']

const checkHost = (field: string, host: string): FieldError[] => checkFormat(field, host, host.includes('*') ? wildcardDns1123Subdomain : dns1123Subdomain)

function checkBackend(backend: IngressBackend | undefined, at: string): FieldError[] {
  const { resource, service } = backend ?? {}
  if (resource && service) return [invalid(at, '', 'cannot set both resource and service backends')]
  if (resource) return [...(resource.apiGroup === undefined ? [] : checkFormat(`${at}.resource.apiGroup`, resource.apiGroup, dns1123Subdomain)), ...checkKindAndName(resource, `${at}.resource`)]
  if (!service) return [invalid(at, '', 'resource or service backend is required')]
  const name = textOf(service.name)
  const port = textOf(service.port?.name)
  const number = service.port?.number ?? 0
  return [
    ...(name === '' ? [required(`${at}.service.name`)] : checkFormat(`${at}.service.name`, name, dns1123Label)),
    ...(port !== '' && number !== 0 ? [invalid(at, '', 'cannot set both port name & port number')]
      : port !== '' ? checkFormat(`${at}.service.port.name`, port, portName)
      : number !== 0 ? checkPort(`${at}.service.port.number`, number) : [required(at, 'port name or number is required')]),
  ]
}

function checkPath({ path = '', pathType, backend }: HTTPIngressPath, at: string): FieldError[] {
  if (pathType === undefined || pathType === null) return [required(`${at}.pathType`, 'pathType must be specified')]
  const field = `${at}.path`
  const errors: FieldError[] = []
  const relative = !path.startsWith('/')
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (relative) errors.push(invalid(field, path, 'must be an absolute path'))
    for (const bad of badSequences) if (path.includes(bad)) errors.push(invalid(field, path, `must not contain '${bad}'`))
    for (const bad of badEndings) if (path.endsWith(bad)) errors.push(invalid(field, path, `cannot end with '${bad}'`))
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && relative) errors.push(invalid(field, path, 'must be an absolute path'))
  } else errors.push(notSupported(`${at}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix']))
  return [...errors, ...checkBackend(backend, `${at}.backend`)]
}

function checkRule({ host = '', http }: IngressRule, at: string): FieldError[] {
  return [
    ...(host !== '' && isIP(host) !== 0 ? [invalid(`${at}.host`, host, 'must be a DNS name, not an IP address')] : []),
    ...(host === '' ? [] : checkHost(`${at}.host`, host)),
    ...(http && !http.paths?.length ? [required(`${at}.http.paths`)] : []),
    ...(http?.paths ?? []).flatMap((path, i) => checkPath(path, `${at}.http.paths[${i}]`)),
  ]
}

const checkTls = ({ hosts = [], secretName = '' }: IngressTLS, at: string): FieldError[] => [
  ...hosts.flatMap((host, i) => checkHost(`${at}.hosts[${i}]`, host)), ...(secretName === '' ? [] : checkFormat(`${at}.secretName`, secretName, dns1123Subdomain)),
]

function checkIngress({ metadata, spec }: Ingress): FieldError[] {
  const rules = spec.rules ?? []
  return [
    ...checkMeta(metadata, true, nameIsDnsSubdomain),
    ...(rules.length === 0 && !spec.defaultBackend ? [invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified')] : []),
    ...(spec.defaultBackend ? checkBackend(spec.defaultBackend, 'spec.defaultBackend') : []),
    ...rules.flatMap((rule, i) => checkRule(rule, `spec.rules[${i}]`)),
    ...(spec.tls ?? []).flatMap((tls, i) => checkTls(tls, `spec.tls[${i}]`)),
    ...(spec.ingressClassName === undefined ? [] : checkFormat('spec.ingressClassName', spec.ingressClassName, dns1123Subdomain)),
  ]
}

function checkStatus({ status }: Ingress): FieldError[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = '', hostname = '' }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`
    return [
      ...(ip === '' ? [] : checkIp(`${at}.ip`, ip)),
      ...(hostname === '' ? [] : checkFormat(`${at}.hostname`, hostname, dns1123Subdomain)),
      ...(isIP(hostname) === 0 ? [] : [invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address')]),
    ]
  })
}

export const ingressValidation: KindValidation<Ingress> = {
  namespaced: true,
  create(ingress) {
    const old = ingress.metadata.annotations?.[classAnnotation]
    const now = ingress.spec.ingressClassName
    return [
      ...checkIngress(ingress),
      ...(old !== undefined && now !== undefined && old !== now ? [invalid(`annotations.${classAnnotation}`, old, 'must match `ingressClassName` when both are specified')] : []),
    ]
  },
  update: (ingress, old, subresource) => [...checkMetaUpdate(ingress.metadata, old.metadata), ...(subresource === 'status' ? checkStatus(ingress) : checkIngress(ingress))],
}

function checkParameters({ spec }: IngressClass): FieldError[] {
  const parameters = spec.parameters
  if (!parameters) return []
  const at = 'spec.parameters'
  const { scope, namespace } = parameters
  const errors = [...(parameters.apiGroup === undefined ? [] : checkFormat(`${at}.apiGroup`, parameters.apiGroup, dns1123Subdomain)), ...checkKindAndName(parameters, at)]
  if (scope === undefined) return [...errors, required(`${at}.scope`)]
  errors.push(...checkOneOf(`${at}.scope`, scope, ['Cluster', 'Namespace']))
  if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"))
    else errors.push(...checkFormat(`${at}.namespace`, namespace, dns1123Label))
  }
  if (scope === 'Cluster' && namespace !== undefined) errors.push(forbidden(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  return errors
}

function checkClass(object: IngressClass): FieldError[] {
  const controller = textOf(object.spec.controller)
  return [
    ...checkMeta(object.metadata, false, nameIsDnsSubdomain),
    ...(Buffer.byteLength(controller) > controllerLength ? [tooLong('spec.controller', controllerLength)] : []),
    ...checkDomainPath('spec.controller', controller),
    ...checkParameters(object),
  ]
}

export const ingressClassValidation: KindValidation<IngressClass> = {
  namespaced: false,
  create: checkClass,
  update: (object, old) => [
    ...checkMetaUpdate(object.metadata, old.metadata), ...checkImmutable('spec.controller', textOf(object.spec.controller), textOf(old.spec.controller)), ...checkClass(object),
  ],
}
