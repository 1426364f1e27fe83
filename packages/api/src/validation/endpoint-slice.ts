import type { Endpoint, EndpointPort, EndpointSlice } from '../types/discovery/v1.ts'
import { isIPv4 } from 'node:net'
import { checkFormat, checkImmutable, checkRequiredOneOf, child, textOf } from './common.ts'
import { duplicate, invalid, required, tooMany } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { dns1123Label, dns1123Subdomain, qualifiedName } from './formats.ts'
import { checkIp, checkNonSpecialIp, isIpv6Text } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkLabels, checkMeta, nameIsDnsSubdomain } from './object-meta.ts'
import { protocols } from './pod/containers.ts'

const limits = { endpoints: 1000, addresses: 100, topology: 16, zoneHints: 8, nodeHints: 8, ports: 20000 }

function checkAddress(address: string, type: string, field: string): FieldError[] {
  switch (type) {
    case 'IPv4': case 'IPv6': {
      const errors = checkIp(field, address)
      if (errors.length > 0) return errors
      const fits = type === 'IPv4' ? isIPv4(address) : isIpv6Text(address)
      return [...(fits ? [] : [invalid(field, address, `must be a valid ${type} address`)]), ...checkNonSpecialIp(field, address)]
    }
    case 'FQDN': return checkFullName(field, address)
    default: return []
  }
}

/** A DNS name of two labels or more; a dot may end it. */
function checkFullName(field: string, name: string): FieldError[] {
  if (name === '') return [required(field)]
  const plain = name.replace(/\.$/, '')
  const problems = dns1123Subdomain(plain)
  if (problems.length > 0) return [invalid(field, plain, problems.join(','))]
  if (!plain.includes('.')) return [invalid(field, plain, 'should be a domain with at least two segments separated by dots')]
  const label = plain.split('.').find((part) => dns1123Label(part).length > 0)
  return label === undefined ? [] : [invalid(field, label, dns1123Label(label).join(','))]
}

function checkEndpoint(endpoint: Endpoint, type: string, at: string): FieldError[] {
  const addresses = endpoint.addresses ?? []
  const errors: FieldError[] = []
  if (addresses.length === 0) errors.push(required(child(at, 'addresses'), 'must contain at least 1 address'))
  else if (addresses.length > limits.addresses) errors.push(tooMany(child(at, 'addresses'), addresses.length, limits.addresses))
  addresses.forEach((address, i) => errors.push(...checkAddress(address, type, `${at}.addresses[${i}]`)))
  if (endpoint.nodeName !== undefined) errors.push(...checkFormat(child(at, 'nodeName'), endpoint.nodeName, dns1123Subdomain))
  const topology = endpoint.deprecatedTopology ?? {}
  const size = Object.keys(topology).length
  if (size > limits.topology) errors.push(tooMany(child(at, 'deprecatedTopology'), size, limits.topology))
  errors.push(...checkLabels(child(at, 'deprecatedTopology'), topology))
  if (endpoint.hostname !== undefined) errors.push(...checkFormat(child(at, 'hostname'), endpoint.hostname, dns1123Label))
  return [...errors, ...checkHints(endpoint.hints, child(at, 'hints'))]
}

function checkHints(hints: Endpoint['hints'], at: string): FieldError[] {
  const zones = hints?.forZones ?? []
  const nodes = hints?.forNodes ?? []
  const errors: FieldError[] = []
  const list = (items: readonly { name?: string }[], name: string, limit: number, format: typeof qualifiedName) => {
    const field = child(at, name)
    if (items.length > limit) {
      errors.push(tooMany(field, items.length, limit))
      return
    }
    const seen = new Set<string>()
    items.forEach((item, i) => {
      const value = textOf(item.name)
      if (seen.has(value)) errors.push(duplicate(`${field}[${i}].name`, value))
      seen.add(value)
      errors.push(...checkFormat(`${field}[${i}].name`, value, format))
    })
  }
  list(zones, 'forZones', limits.zoneHints, qualifiedName)
  list(nodes, 'forNodes', limits.nodeHints, dns1123Subdomain)
  return errors
}

function checkPorts(ports: readonly EndpointPort[] | undefined): FieldError[] {
  if ((ports?.length ?? 0) > limits.ports) return [tooMany('ports', ports?.length ?? 0, limits.ports)]
  const names = new Set<string>()
  return (ports ?? []).flatMap((port, i) => {
    const at = `ports[${i}]`
    const name = textOf(port.name)
    const errors = name === '' ? [] : checkFormat(child(at, 'name'), name, dns1123Label)
    if (names.has(name)) errors.push(duplicate(child(at, 'name'), name))
    names.add(name)
    errors.push(...checkRequiredOneOf(child(at, 'protocol'), port.protocol, protocols))
    return port.appProtocol === undefined ? errors : [...errors, ...checkFormat(child(at, 'appProtocol'), port.appProtocol, qualifiedName)]
  })
}

function checkSlice(slice: EndpointSlice, addressTypes: readonly string[]): FieldError[] {
  const endpoints = slice.endpoints ?? []
  return [
    ...checkMeta(slice.metadata, true, nameIsDnsSubdomain),
    ...checkRequiredOneOf('addressType', slice.addressType, addressTypes),
    ...(endpoints.length > limits.endpoints
      ? [tooMany('endpoints', endpoints.length, limits.endpoints)]
      : endpoints.flatMap((endpoint, i) => checkEndpoint(endpoint, textOf(slice.addressType), `endpoints[${i}]`))),
    ...checkPorts(slice.ports),
  ]
}

const addressTypes = ['FQDN', 'IPv4', 'IPv6']

export const endpointSliceValidation: KindValidation<EndpointSlice> = {
  namespaced: true,
  create: (slice) => checkSlice(slice, addressTypes),
  update: (slice, old) => [
    ...checkSlice(slice, ['FQDN', 'IP', 'IPv4', 'IPv6']),
    ...checkImmutable('addressType', textOf(slice.addressType), textOf(old.addressType)),
  ],
}
