import { core, discovery } from '@berth/api'
import type { Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { type Informer, isConflict, isForbidden, isNotFound, type KubeClient, keyOf, type Logger } from '@berth/kube'
import { dnsSlice, namespace, sameSlice, serviceName, sliceName } from './objects.ts'
import { ServiceKeeper } from './service.ts'

export interface PublisherOptions {
  client: KubeClient
  logger: Logger
  nodeName: string
  address: string
  port: number
  /** The Service's cluster IP; undefined: the Service is somebody else's to make. */
  serviceIp: string | undefined
  /** They tell when somebody changed or deleted what is ours. */
  services: Informer<Service>
  slices: Informer<EndpointSlice>
  /** Whether this server answers for the zone: only then its endpoint is ready. */
  ready: () => boolean
}

export interface Publisher {
  /** Looks, now, whether all is as it should be. */
  check(): void
  /** Withdraws this node's endpoint. Takes a second at most; never rejects. */
  stop(): Promise<void>
}

const delays = { first: 500, greatest: 15_000, stop: 1000 } as const

/** Keeps the Service (if it is ours to make) and this node's slice as they should be, from the first check() on: at every change of either, and again after a failure. */
export function startPublisher(options: PublisherOptions): Publisher {
  const { client, logger, nodeName, services, slices } = options
  const keeper = options.serviceIp === undefined ? undefined : new ServiceKeeper(client, logger, options.serviceIp)
  let wanted = false
  let stopped = false
  let running: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0

  const reconcile = async (): Promise<void> => {
    while (wanted && !stopped) {
      wanted = false
      // One must not wait for the other: a Service that cannot be corrected still needs its endpoints.
      const results = await Promise.allSettled([keeper?.keep(), publishSlice(options)])
      const failed = results.filter((result) => result.status === 'rejected')
      failures = failed.length > 0 ? failures + 1 : 0
      if (failed.length === 0 || stopped) continue
      const delayMs = Math.min(delays.greatest, delays.first * 2 ** failures)
      for (const { reason } of failed) {
        // Another node's DNS was faster with the same correction.
        if (!isConflict(reason)) logger.error(reason, 'Cannot publish the DNS endpoint, will retry', { node: nodeName, delayMs })
      }
      clearTimeout(timer)
      timer = setTimeout(check, delayMs)
    }
    running = undefined
  }
  const check = (): void => {
    if (stopped) return
    wanted = true
    running ??= reconcile()
  }
  let offs: (() => void)[] = []
  const listen = (): void => {
    const on = <T extends Service | EndpointSlice>(informer: Informer<T>, key: string): (() => void) => {
      const look = (object: T): void => {
        if (keyOf(object) === key) check()
      }
      return informer.on({ added: look, updated: (_, now) => look(now), deleted: look })
    }
    offs = [...(keeper ? [on(services, `${namespace}/${serviceName}`)] : []), on(slices, `${namespace}/${sliceName(nodeName)}`)]
  }

  return {
    check() {
      if (offs.length === 0 && !stopped) listen()
      check()
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      for (const off of offs) off()
      const withdraw = async (): Promise<void> => {
        await running
        if (offs.length > 0) await client.delete(discovery.endpointslices, sliceName(nodeName), { namespace })
      }
      const patience = Promise.withResolvers<void>()
      const late = setTimeout(patience.resolve, delays.stop)
      await Promise.race([patience.promise, withdraw().catch((error: unknown) => {
        if (!isNotFound(error)) logger.error(error, 'Cannot withdraw the DNS endpoint', { node: nodeName })
      })])
      clearTimeout(late)
    },
  }
}

async function publishSlice({ client, nodeName, address, port, ready }: PublisherOptions): Promise<void> {
  const wanted = dnsSlice({ name: nodeName, uid: await nodeUid(client, nodeName) }, address, port, ready())
  let found: EndpointSlice
  try {
    found = await client.get(discovery.endpointslices, wanted.metadata.name, { namespace })
  } catch (error) {
    if (!isNotFound(error)) throw error
    await client.create(discovery.endpointslices, wanted)
    return
  }
  if (sameSlice(found, wanted)) return
  // The address type cannot be changed.
  if (found.addressType === wanted.addressType) {
    await client.update(discovery.endpointslices, { ...wanted, metadata: { ...wanted.metadata, resourceVersion: found.metadata.resourceVersion } })
  } else {
    await client.delete(discovery.endpointslices, wanted.metadata.name, { namespace })
    await client.create(discovery.endpointslices, wanted)
  }
}

/** The Node's uid; undefined where we may not read nodes: then the slice has no owner, and whoever deletes the Node deletes it, too. */
async function nodeUid(client: KubeClient, nodeName: string): Promise<string | undefined> {
  try {
    return (await client.get(core.nodes, nodeName)).metadata.uid
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}
