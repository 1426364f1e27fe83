import { core, discovery } from '@berth/api'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { isAlreadyExists, isForbidden, isNotFound, type KubeClient } from '@berth/kube'
import { dnsService, dnsSlice, namespace, sameSlice, serviceName } from './objects.ts'

export interface PublishOptions {
  client: KubeClient
  nodeName: string
  address: string
  port: number
  /** The Service's cluster IP; undefined: the Service is somebody else's to make. */
  serviceIp: string | undefined
}

/** Makes sure that the Service (if it is ours to make) and this node's slice exist as they should. A Service that exists is left as it is. Throws ApiError. */
export async function publish({ client, nodeName, address, port, serviceIp }: PublishOptions): Promise<void> {
  if (serviceIp !== undefined) {
    try {
      await client.get(core.services, serviceName, { namespace })
    } catch (error) {
      if (!isNotFound(error)) throw error
      await client.create(core.services, dnsService(serviceIp)).catch((failure: unknown) => {
        if (!isAlreadyExists(failure)) throw failure
      })
    }
  }
  const wanted = dnsSlice({ name: nodeName, uid: await nodeUid(client, nodeName) }, address, port)
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
