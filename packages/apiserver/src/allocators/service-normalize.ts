import { invalid } from '../errors.ts'
import type { FieldErrorLike } from '../field-errors.ts'
import { familyOf, type IpFamily } from './ip-range.ts'
import { isHeadless, needsClusterIp, needsHealthCheckPort, needsNodePort, nodePortsOf, sameValues, type Service, type Spec, typeOf } from './service-types.ts'

/**
 * Brings a Service's allocated fields into the form that validation and allocation expect: what an update left out is taken from before, `clusterIP` and
 * `clusterIPs` agree, families and their policy are decided, and what a changed type has no use for is dropped. Changes `service`. Doing it twice is doing it once.
 * Throws Invalid where families are asked for that the cluster (`families`) has not.
 */
export function normalizeService(service: Service, old: Service | undefined, families: readonly IpFamily[]): void {
  const spec = service.spec
  if (!spec) return
  const before = old?.spec
  if (before) {
    keepAllocated(spec, before)
    dropForType(spec, before)
  }
  syncClusterIps(spec, before)
  const errors = decideFamilies(spec, before, families)
  if (errors.length > 0) throw invalid({ group: '', kind: 'Service' }, service.metadata.name, errors)
}

/** What a client that replaces an object does not know of stays. */
function keepAllocated(spec: Spec, before: Spec): void {
  if (needsClusterIp(spec) && needsClusterIp(before)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if (!spec.clusterIPs?.length && spec.clusterIP === before.clusterIP && before.clusterIPs) spec.clusterIPs = [...before.clusterIPs]
  }
  if (needsNodePort(spec) && needsNodePort(before)) {
    const used = new Set(nodePortsOf(spec))
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue
      const known = before.ports?.find((p) => p.port === port.port && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP'))?.nodePort
      if (known && !used.has(known)) port.nodePort = known
    }
  }
  if (needsHealthCheckPort(spec) && needsHealthCheckPort(before) && !spec.healthCheckNodePort && before.healthCheckNodePort) spec.healthCheckNodePort = before.healthCheckNodePort
}

/** A type that has no use for a field clears it, unless the client changed the field too (then validation speaks). */
function dropForType(spec: Spec, before: Spec): void {
  if (needsClusterIp(before) && !needsClusterIp(spec)) {
    if (sameValues(spec.clusterIPs, before.clusterIPs) || spec.clusterIP === before.clusterIP) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (sameValues(spec.ipFamilies, before.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === before.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  if (needsNodePort(before) && !needsNodePort(spec) && sameValues([...nodePortsOf(spec)].sort(), [...nodePortsOf(before)].sort())) {
    for (const port of spec.ports ?? []) delete port.nodePort
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === before.healthCheckNodePort) delete spec.healthCheckNodePort
  if (typeOf(before) === 'LoadBalancer' && typeOf(spec) !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (needsNodePort(before) && !needsNodePort(spec) && !spec.externalIPs?.length && spec.externalTrafficPolicy === before.externalTrafficPolicy) delete spec.externalTrafficPolicy
}

function syncClusterIps(spec: Spec, before: Spec | undefined): void {
  if (!before) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
    return
  }
  if (before.clusterIPs?.length && !spec.clusterIPs?.length && spec.clusterIP && spec.clusterIP === before.clusterIP) spec.clusterIPs = [...before.clusterIPs]
  if ((spec.clusterIP ?? '') === (before.clusterIP ?? '')) return
  // A client that knows `clusterIP` alone changed it.
  if (!spec.clusterIP) {
    if (before.clusterIP && sameValues(spec.clusterIPs, before.clusterIPs)) delete spec.clusterIPs
  } else if (sameValues(spec.clusterIPs, before.clusterIPs)) {
    spec.clusterIPs = [spec.clusterIP]
  }
}

function decideFamilies(spec: Spec, before: Spec | undefined, families: readonly IpFamily[]): FieldErrorLike[] {
  if (!needsClusterIp(spec)) return []
  // Addresses and families that validation will refuse are left to it.
  if ((spec.clusterIPs ?? []).some((ip) => ip !== 'None' && ip !== '' && familyOf(ip) === undefined)) return []
  if ((spec.ipFamilies ?? []).some((f) => f !== 'IPv4' && f !== 'IPv6')) return []
  if (before) trimForSingleStack(spec, before)
  const inferred = inferFamilies(spec, families)
  if (inferred.length > 0) return inferred
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) {
    headlessWithoutSelector(spec, families)
    return []
  }
  const errors: FieldErrorLike[] = []
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2) {
    errors.push({ type: 'Invalid', field: 'spec.ipFamilyPolicy', badValue: spec.ipFamilyPolicy, detail: 'this cluster is not configured for dual-stack services' })
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!families.includes(family as IpFamily)) errors.push({ type: 'Invalid', field: `spec.ipFamilies[${index}]`, badValue: family, detail: 'not configured on this cluster' })
  }
  if (errors.length > 0) return errors
  spec.ipFamilyPolicy ??= 'SingleStack'
  if (!spec.ipFamilies?.length) spec.ipFamilies = families.slice(0, 1)
  const [first] = spec.ipFamilies
  if (spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1 && families.length > 1 && first !== undefined && !unchangedSingle(spec, before)) {
    spec.ipFamilies = [...spec.ipFamilies, ...families.filter((f) => f !== first)]
  }
  return []
}

/** A PreferDualStack Service keeps the addresses it got when the cluster had one family, until its policy changes. */
function unchangedSingle(spec: Spec, before: Spec | undefined): boolean {
  return before !== undefined && spec.ipFamilyPolicy === 'PreferDualStack' && before.ipFamilyPolicy === 'PreferDualStack' && sameValues(spec.ipFamilies, before.ipFamilies)
}

/** An update to SingleStack alone says clearly which address goes: the second. */
function trimForSingleStack(spec: Spec, before: Spec): void {
  if (spec.ipFamilyPolicy !== 'SingleStack' || before.ipFamilyPolicy === 'SingleStack') return
  if (sameValues(spec.clusterIPs, before.clusterIPs) && (spec.clusterIPs?.length ?? 0) > 1) spec.clusterIPs = spec.clusterIPs?.slice(0, 1)
  if (sameValues(spec.ipFamilies, before.ipFamilies) && (spec.ipFamilies?.length ?? 0) > 1) spec.ipFamilies = spec.ipFamilies?.slice(0, 1)
}

function inferFamilies(spec: Spec, families: readonly IpFamily[]): FieldErrorLike[] {
  const errors: FieldErrorLike[] = []
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break
    const family = familyOf(ip)
    if (family === undefined || index < (spec.ipFamilies?.length ?? 0)) continue
    if (families.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
    else errors.push({ type: 'Invalid', field: `spec.clusterIPs[${index}]`, badValue: spec.clusterIPs, detail: `${family} is not configured on this cluster` })
  }
  return errors
}

/** Somebody else writes such a Service's endpoints, of whatever family: it may have both, whatever the cluster has. */
function headlessWithoutSelector(spec: Spec, families: readonly IpFamily[]): void {
  if (!spec.ipFamilies?.length) spec.ipFamilies = families.slice(0, 1)
  if (spec.ipFamilies.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4']
  spec.ipFamilyPolicy ??= 'RequireDualStack'
}
