import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../types/networking/v1.ts'
import { checkFormat, checkPort } from './common.ts'
import { forbidden, invalid, notSupported, required } from './field-errors.ts'
import type { FieldError } from './field-errors.ts'
import { portName } from './formats.ts'
import { checkCidr, cidrContains } from './ip.ts'
import type { KindValidation } from './kind.ts'
import { checkLabelSelector } from './label-selector.ts'
import { checkMeta, checkMetaUpdate, nameIsDnsSubdomain } from './object-meta.ts'

const protocols = ['TCP', 'UDP', 'SCTP']
const policyTypes = ['Ingress', 'Egress']

function checkPortRule({ protocol, port, endPort }: NetworkPolicyPort, at: string): FieldError[] {
  const errors = protocol === undefined || protocols.includes(protocol) ? [] : [notSupported(`${at}.protocol`, protocol, protocols)]
  const end = `${at}.endPort`
  if (port === undefined) return endPort === undefined ? errors : [...errors, invalid(end, endPort, 'may not be specified when `port` is not specified')]
  if (typeof port === 'string') {
    return [...errors, ...(endPort === undefined ? [] : [invalid(end, endPort, 'may not be specified when `port` is non-numeric')]), ...checkFormat(`${at}.port`, port, portName)]
  }
  errors.push(...checkPort(`${at}.port`, port))
  if (endPort === undefined) return errors
  return [...errors, ...(endPort < port ? [invalid(end, port, 'must be greater than or equal to `port`')] : []), ...checkPort(end, endPort)]
}

/** What a policy said before may stay, however it is written. */
function checkBlock({ cidr = '', except = [] }: Partial<IPBlock>, at: string, known: ReadonlySet<string>): FieldError[] {
  const check = (field: string, text: string): FieldError[] => (known.has(text) ? [] : checkCidr(field, text))
  if (cidr === '') return [required(`${at}.cidr`)]
  return [
    ...check(`${at}.cidr`, cidr),
    ...except.flatMap((text, i) => [
      ...check(`${at}.except[${i}]`, text), ...(cidrContains(cidr, text) === false ? [invalid(`${at}.except[${i}]`, text, 'must be a strict subset of `cidr`')] : []),
    ]),
  ]
}

function checkPeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, at: string, known: ReadonlySet<string>): FieldError[] {
  const errors = [
    ...checkLabelSelector(`${at}.podSelector`, podSelector), ...checkLabelSelector(`${at}.namespaceSelector`, namespaceSelector), ...(ipBlock ? checkBlock(ipBlock, `${at}.ipBlock`, known) : []),
  ]
  if (!podSelector && !namespaceSelector && !ipBlock) return [...errors, required(at, 'must specify a peer')]
  return ipBlock && (podSelector ?? namespaceSelector) ? [...errors, forbidden(at, 'may not specify both ipBlock and another peer')] : errors
}

function checkSpec({ spec }: NetworkPolicy, known: ReadonlySet<string>): FieldError[] {
  const rules = [
    ...(spec.ingress ?? []).map(({ ports, from }, i) => ({ ports, peers: from, at: `spec.ingress[${i}]`, name: 'from' })),
    ...(spec.egress ?? []).map(({ ports, to }, i) => ({ ports, peers: to, at: `spec.egress[${i}]`, name: 'to' })),
  ]
  const types = spec.policyTypes ?? []
  return [
    ...checkLabelSelector('spec.podSelector', spec.podSelector),
    ...rules.flatMap(({ ports, peers, at, name }) => [
      ...(ports ?? []).flatMap((port, i) => checkPortRule(port, `${at}.ports[${i}]`)), ...(peers ?? []).flatMap((peer, i) => checkPeer(peer, `${at}.${name}[${i}]`, known)),
    ]),
    ...(types.length > policyTypes.length ? [invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')]
      : types.flatMap((type, i) => (policyTypes.includes(type) ? [] : [notSupported(`spec.policyTypes[${i}]`, type, policyTypes)]))),
  ]
}

function cidrsOf({ spec }: NetworkPolicy): Set<string> {
  const peers = [...(spec.ingress ?? []).flatMap(({ from }) => from ?? []), ...(spec.egress ?? []).flatMap(({ to }) => to ?? [])]
  return new Set(peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : [])))
}

export const networkPolicyValidation: KindValidation<NetworkPolicy> = {
  namespaced: true,
  create: (policy) => [...checkMeta(policy.metadata, true, nameIsDnsSubdomain), ...checkSpec(policy, new Set())],
  update: (policy, old) => [...checkMetaUpdate(policy.metadata, old.metadata), ...checkSpec(policy, cidrsOf(old))],
}
