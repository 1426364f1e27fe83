import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { InstanceError } from '../errors.ts'
import { defaultDataDir, type Layout } from './layout.ts'
import type { InstanceEtcd } from './storage.ts'

/** What `berth up` decided for an instance, kept in its data directory so that every later command finds the same. */
export interface Instance {
  /** The first three octets of the /24 that joins server, nodes and machine. */
  readonly underlay: string
  readonly nodes: readonly string[]
  readonly podCidr: string
  readonly serviceCidr: string
  readonly clusterDns: string
  readonly clusterDomain: string
  readonly securePort: number
  /** The etcd that the user gave with --etcd-servers; absent: SQLite in the data directory. */
  readonly etcd?: InstanceEtcd
  /** A Docker Engine that the user gave with --docker-host; absent: the private one. */
  readonly dockerHost?: string
}

/** The instance that a fresh `berth up` of this many nodes makes. */
export function newInstance(layout: Layout, options: { nodes: number; dockerHost?: string | undefined }): Instance {
  const hash = crypto.createHash('sha256').update(layout.dataDir).digest()
  const underlay = layout.dataDir === defaultDataDir ? '172.30.0' : `172.30.${1 + (hash[0]! % 250)}`
  return {
    underlay,
    nodes: nodeNames(options.nodes),
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/16',
    clusterDns: '10.96.0.10',
    clusterDomain: 'cluster.local',
    securePort: 6443,
    ...(options.dockerHost ? { dockerHost: options.dockerHost } : {}),
  }
}

/** `n1`, `n2`, …: nodes are called as short as one says them. */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i + 1}`)
}

/** The server's own address on the underlay. */
export function serverAddress(instance: Instance): string {
  return `${instance.underlay}.1`
}

/** The machine's address on the underlay: the nodes' gateway. */
export function gatewayAddress(instance: Instance): string {
  return `${instance.underlay}.254`
}

/** A node's address on the underlay. */
export function nodeAddress(instance: Instance, node: string): string {
  const index = instance.nodes.indexOf(node)
  if (index < 0) throw new InstanceError(`there is no node ${JSON.stringify(node)} in this instance; its nodes are ${instance.nodes.join(', ')}`)
  return `${instance.underlay}.${11 + index}`
}

/** Reads the instance of a data directory; undefined where none was made. */
export function readInstance(layout: Layout): Instance | undefined {
  try {
    return JSON.parse(fs.readFileSync(layout.instanceFile, 'utf8')) as Instance
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new InstanceError(`${layout.instanceFile} cannot be read`, { cause: error })
  }
}

/** Reads the instance of a data directory, or says that there is none. */
export function requireInstance(layout: Layout): Instance {
  const instance = readInstance(layout)
  if (!instance) throw new InstanceError(`there is no cluster in ${layout.dataDir}; \`berth up\` makes one`)
  return instance
}

/** Keeps an instance's decisions, atomically. */
export function writeInstance(layout: Layout, instance: Instance): void {
  fs.mkdirSync(path.dirname(layout.instanceFile), { recursive: true, mode: 0o700 })
  const temporary = `${layout.instanceFile}.new`
  fs.writeFileSync(temporary, `${JSON.stringify(instance, null, 2)}\n`)
  fs.renameSync(temporary, layout.instanceFile)
}
