import type { EndpointAddress, EndpointPort, Endpoints } from '../types/core/v1.ts'
import { checkFormat, checkPort, checkRequired, checkRequiredOneOf, child, textOf } from './common.ts'
import { required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain, qualifiedName } from './formats.ts'
import { checkIp, checkNonSpecialIp } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'
import { protocols } from './pod/containers.ts'

function checkAddress(address: EndpointAddress, at: string): FieldError[] {
  const ip = textOf(address.ip)
  return [
    ...checkIp(child(at, 'ip'), ip),
    ...(textOf(address.hostname) === '' ? [] : checkFormat(child(at, 'hostname'), textOf(address.hostname), dns1123Label)),
    ...(address.nodeName === undefined ? [] : checkFormat(child(at, 'nodeName'), address.nodeName, dns1123Subdomain)),
    ...checkNonSpecialIp(child(at, 'ip'), ip),
  ]
}

function checkEndpointPort(port: EndpointPort, at: string, needsName: boolean): FieldError[] {
  const name = textOf(port.name)
  return [
    ...(name === '' ? (needsName ? checkRequired(child(at, 'name'), name) : []) : checkFormat(child(at, 'name'), name, dns1123Label)),
    ...checkPort(child(at, 'port'), port.port),
    ...checkRequiredOneOf(child(at, 'protocol'), port.protocol, protocols),
    ...(port.appProtocol === undefined ? [] : checkFormat(child(at, 'appProtocol'), port.appProtocol, qualifiedName)),
  ]
}

function checkEndpoints(endpoints: Endpoints): FieldError[] {
  const errors = checkMeta(endpoints.metadata, true, nameIsDnsSubdomain)
  endpoints.subsets?.forEach((subset, i) => {
    const at = `subsets[${i}]`
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset
    if (addresses.length === 0 && notReadyAddresses.length === 0) errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'))
    addresses.forEach((address, j) => errors.push(...checkAddress(address, `${at}.addresses[${j}]`)))
    notReadyAddresses.forEach((address, j) => errors.push(...checkAddress(address, `${at}.notReadyAddresses[${j}]`)))
    ports.forEach((port, j) => errors.push(...checkEndpointPort(port, `${at}.ports[${j}]`, ports.length > 1)))
  })
  return errors
}

export const endpointsValidation: KindValidation<Endpoints> = {
  namespaced: true,
  create: checkEndpoints,
  update: (endpoints, old) => [...checkMetaUpdate(endpoints.metadata, old.metadata), ...checkEndpoints(endpoints)],
}
