import { networkInterfaces } from 'node:os'
import { coordination } from '@berth/api'
import type { Lease } from '@berth/api/types/coordination/v1'
import { isConflict, isNotFound, type KubeClient } from '@berth/kube'

/** Where a scheduler says, on its Lease, how it can be asked: who may write the Lease is trusted to be the scheduler. */
export const announcement = {
  /** `https://10.0.0.7:10259` */
  url: 'berth.dev/explain-url',
  /** The authority of its serving certificate; PEM. */
  ca: 'berth.dev/explain-ca',
  /** The name in that certificate. */
  serverName: 'berth.dev/explain-server-name',
  /** `namespace/name` of its pod, through which it is reached where its address is not. */
  pod: 'berth.dev/explain-pod',
} as const

export interface Announced {
  readonly url: string
  readonly ca: string
  readonly serverName: string
  readonly pod?: string
}

/** Where this process is reached: the address that it serves on, or its pod's or its host's own; its pod's name by the downward API (POD_IP, POD_NAME, POD_NAMESPACE). */
export function announcedAt({ port, ca, serverName }: { readonly port: number; readonly ca: string; readonly serverName: string }, bindAddress: string, env: Readonly<Record<string, string | undefined>>): Announced {
  const own = Object.values(networkInterfaces()).flat().find((each) => each && !each.internal && each.family === 'IPv4')?.address
  const address = bindAddress === '0.0.0.0' || bindAddress === '::' ? env['POD_IP'] ?? own ?? '127.0.0.1' : bindAddress
  const pod = env['POD_NAME'] !== undefined && env['POD_NAMESPACE'] !== undefined ? `${env['POD_NAMESPACE']}/${env['POD_NAME']}` : undefined
  return { url: `https://${address.includes(':') ? `[${address}]` : address}:${port}`, ca, serverName, ...(pod === undefined ? {} : { pod }) }
}

const triesAtMost = 5

/** Writes onto the Lease where this scheduler answers questions; makes the Lease where there is none. */
export async function announce(client: KubeClient, lease: { namespace: string; name: string }, where: Announced): Promise<void> {
  const annotations = {
    [announcement.url]: where.url, [announcement.ca]: where.ca, [announcement.serverName]: where.serverName,
    ...(where.pod === undefined ? {} : { [announcement.pod]: where.pod }),
  }
  // The election writes the same Lease.
  for (let tries = 1; ; tries++) {
    try {
      return await write(client, lease, annotations)
    } catch (error) {
      if (!isConflict(error) || tries === triesAtMost) throw error
    }
  }
}

async function write(client: KubeClient, { namespace, name }: { namespace: string; name: string }, annotations: Record<string, string>): Promise<void> {
  let current: Lease
  try {
    current = await client.get(coordination.leases, name, { namespace })
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(coordination.leases, { metadata: { name, namespace, annotations }, spec: {} })
    return
  }
  const { [announcement.pod]: _, ...others } = current.metadata.annotations ?? {}
  await client.update(coordination.leases, { ...current, metadata: { ...current.metadata, annotations: { ...others, ...annotations } } })
}

/** What a Lease says of its scheduler; undefined where it says nothing: the scheduler is not Berth's. */
export function announcedBy(lease: Lease): Announced | undefined {
  const annotations = lease.metadata.annotations ?? {}
  const url = annotations[announcement.url]
  const ca = annotations[announcement.ca]
  if (url === undefined || ca === undefined) return undefined
  const pod = annotations[announcement.pod]
  return { url, ca, serverName: annotations[announcement.serverName] ?? '', ...(pod === undefined ? {} : { pod }) }
}
