import type { PortMapping } from '../allocator/allocator.ts'
import { cniCodes, CniFailure } from '../errors.ts'
import { isIpv4 } from '../ipv4.ts'
import { type CniVersion, isSupported, supportedVersions } from './versions.ts'

/** A CNI call, read and checked. */
export type CniRequest =
  | { command: 'ADD'; version: CniVersion; containerId: string; ifName: string; netns: string; ports: PortMapping[]; dns: unknown }
  | { command: 'CHECK'; version: CniVersion; containerId: string; ifName: string; netns: string }
  | { command: 'DEL'; version: CniVersion; containerId: string; ifName: string }
  | { command: 'GC'; version: CniVersion; valid: { containerId: string; ifName: string }[] }
  | { command: 'STATUS'; version: CniVersion }

const knownFields = new Set(['cniVersion', 'cniVersions', 'name', 'type', 'socket', 'capabilities', 'runtimeConfig', 'args', 'prevResult', 'dns', 'disableCheck', 'disableGC'])

/** Reads a call out of its environment and its configuration. Throws CniFailure with the specification's codes. */
export function parseRequest(env: ReadonlyMap<string, string>, conf: string): CniRequest {
  const fields = parseConf(conf)
  const version = fields.cniVersion ?? '0.3.1'
  if (typeof version !== 'string' || !isSupported(version)) {
    throw new CniFailure(cniCodes.incompatibleVersion, `incompatible CNI versions; config is ${JSON.stringify(version)}, plugin supports ${JSON.stringify(supportedVersions)}`)
  }
  const stray = Object.keys(fields).find((key) => !knownFields.has(key) && !key.startsWith('cni.dev/'))
  if (stray) throw new CniFailure(cniCodes.unsupportedField, `the network configuration has an unsupported field: ${JSON.stringify(stray)}`)
  const command = env.get('CNI_COMMAND')
  switch (command) {
    case 'STATUS': return { command, version }
    case 'GC': return { command, version, valid: parseValid(fields['cni.dev/valid-attachments']) }
    case 'DEL': return { command, version, ...container(env) }
    case 'CHECK': return { command, version, ...container(env), netns: netnsOf(env) }
    case 'ADD': return { command, version, ...container(env), netns: netnsOf(env), ports: parsePorts(fields.runtimeConfig), dns: fields.dns }
    default: throw new CniFailure(cniCodes.invalidEnvironment, `unknown CNI_COMMAND: ${command ?? ''}`)
  }
}

function parseConf(conf: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(conf)
  } catch (error) {
    throw new CniFailure(cniCodes.decodeFailure, 'the network configuration is no JSON', error instanceof Error ? error.message : String(error), { cause: error })
  }
  if (!isObject(value)) throw new CniFailure(cniCodes.decodeFailure, 'the network configuration is no JSON object')
  return value
}

function required(env: ReadonlyMap<string, string>, name: string, valid: RegExp): string {
  const value = env.get(name)
  if (!value) throw new CniFailure(cniCodes.invalidEnvironment, `required env variables [${name}] missing`)
  if (!valid.test(value)) throw new CniFailure(cniCodes.invalidEnvironment, `invalid ${name}: ${JSON.stringify(value)}`)
  return value
}

function container(env: ReadonlyMap<string, string>): { containerId: string; ifName: string } {
  return { containerId: required(env, 'CNI_CONTAINERID', /^[A-Za-z0-9][A-Za-z0-9_.-]*$/), ifName: required(env, 'CNI_IFNAME', /^(?!\.{1,2}$)[^\s/:]{1,15}$/) }
}

function netnsOf(env: ReadonlyMap<string, string>): string {
  return required(env, 'CNI_NETNS', /^\/\S+$/)
}

function parsePorts(runtimeConfig: unknown): PortMapping[] {
  if (runtimeConfig === undefined) return []
  const bad = (where: string, why: string): CniFailure => new CniFailure(cniCodes.invalidConfig, `runtimeConfig${where}: ${why}`)
  if (!isObject(runtimeConfig)) throw bad('', 'an object is required')
  const list = runtimeConfig.portMappings ?? []
  if (!Array.isArray(list)) throw bad('.portMappings', 'a list is required')
  return list.flatMap((item: unknown, i): PortMapping[] => {
    const where = `.portMappings[${i}]`
    if (!isObject(item)) throw bad(where, 'an object is required')
    const { hostPort, containerPort, protocol = 'tcp', hostIP = '' } = item
    if (!isPort(hostPort, 0)) throw bad(`${where}.hostPort`, 'must be a port number')
    if (hostPort === 0) return [] // the runtime lists container ports without a host port, too
    if (!isPort(containerPort, 1)) throw bad(`${where}.containerPort`, 'must be a port number')
    const lower = String(protocol).toLowerCase()
    if (lower !== 'tcp' && lower !== 'udp' && lower !== 'sctp') throw bad(`${where}.protocol`, `${JSON.stringify(protocol)} is none of tcp, udp, sctp`)
    if (typeof hostIP !== 'string' || (hostIP !== '' && !isIpv4(hostIP))) throw bad(`${where}.hostIP`, `${JSON.stringify(hostIP)} is no IPv4 address`)
    return [{ hostIP: hostIP === '0.0.0.0' ? '' : hostIP, hostPort, containerPort, protocol: lower }]
  })
}

function parseValid(value: unknown): { containerId: string; ifName: string }[] {
  if (!Array.isArray(value)) throw new CniFailure(cniCodes.invalidConfig, 'cni.dev/valid-attachments: a list is required')
  return value.map((item: unknown, i) => {
    if (!isObject(item) || typeof item.containerID !== 'string' || typeof item.ifname !== 'string') {
      throw new CniFailure(cniCodes.invalidConfig, `cni.dev/valid-attachments[${i}]: containerID and ifname are required`)
    }
    return { containerId: item.containerID, ifName: item.ifname }
  })
}

function isPort(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 65535
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
