import { readFile } from 'node:fs/promises'
import { backendTypes } from './backends/index.ts'
import { OverlayError } from './errors.ts'
import { parseRange } from './ipv4.ts'

/** flannel's net-conf.json, as far as it is served. */
export interface NetConf {
  /** The whole cluster's pod range. */
  network: string
  /** Bytes; 0 takes the MTU of the node's interface. */
  mtu: number
  backend: { type: string }
}

export const defaultNetConf: NetConf = { network: '10.244.0.0/16', mtu: 0, backend: { type: 'host-gw' } }

// Fields that flannel knows. With Kubernetes as the subnet manager it ignores SubnetLen, SubnetMin and SubnetMax: nodes have their podCIDR.
const known = new Set(['Network', 'EnableIPv4', 'EnableIPv6', 'IPv6Network', 'Backend', 'SubnetLen', 'SubnetMin', 'SubnetMax'])

/** Reads net-conf.json strictly. Throws OverlayError (Config or Unsupported) that names the field. */
export function parseNetConf(text: string): NetConf {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new OverlayError('Config', `net-conf.json: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const conf = object(value, 'net-conf.json')
  const unknown = Object.keys(conf).find((key) => !known.has(key))
  if (unknown) throw new OverlayError('Config', `net-conf.json: unknown field ${JSON.stringify(unknown)}`)
  if (conf.EnableIPv4 === false) throw new OverlayError('Unsupported', 'net-conf.json: EnableIPv4: false is not supported: pods have IPv4 addresses')
  if (conf.EnableIPv6 === true || conf.IPv6Network !== undefined) throw new OverlayError('Unsupported', 'net-conf.json: EnableIPv6, IPv6Network: IPv6 is not supported yet')
  if (typeof conf.Network !== 'string') throw new OverlayError('Config', 'net-conf.json: Network: a range such as "10.244.0.0/16" is required')
  parseRange(conf.Network)
  const backend = object(conf.Backend ?? { Type: 'host-gw' }, 'net-conf.json: Backend')
  const stray = Object.keys(backend).find((key) => key !== 'Type' && key !== 'MTU')
  if (typeof backend.Type !== 'string') throw new OverlayError('Config', 'net-conf.json: Backend.Type: a string is required')
  if (!backendTypes().includes(backend.Type)) {
    throw new OverlayError('Unsupported', `net-conf.json: Backend.Type: ${JSON.stringify(backend.Type)} is not supported (supported: ${backendTypes().join(', ')})`)
  }
  if (stray) throw new OverlayError('Config', `net-conf.json: Backend.${stray}: the backend ${backend.Type} does not know this field`)
  const mtu = backend.MTU ?? 0
  if (typeof mtu !== 'number' || !Number.isInteger(mtu) || (mtu !== 0 && (mtu < 68 || mtu > 65535))) {
    throw new OverlayError('Config', 'net-conf.json: Backend.MTU: must be an integer from 68 to 65535')
  }
  return { network: conf.Network, mtu, backend: { type: backend.Type } }
}

export async function readNetConf(path: string): Promise<NetConf> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new OverlayError('Config', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  return parseNetConf(text)
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new OverlayError('Config', `${where}: an object is required`)
  return value as Record<string, unknown>
}
