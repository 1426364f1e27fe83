import { internalError, invalid } from '../errors.ts'
import type { ApiObject, WriteContext, WriteHook, WriteOutcome } from '../interfaces.ts'
import { AllocationError, type ClusterIpAllocator, type ServiceName } from './cluster-ip-allocator.ts'
import type { IpFamily } from './ip-range.ts'
import { type NodePortAllocator } from './node-port-allocator.ts'
import { choosePorts } from './service-ports.ts'
import { addressesOf, isHeadless, needsClusterIp, needsHealthCheckPort, needsNodePort, nodePortsOf, type Service, type Spec } from './service-types.ts'
import { normalizeService } from './service-normalize.ts'

/**
 * What a Service's writes do beyond the Service: addresses and node ports are taken before it is written and given back when it is deleted, when it needs them
 * no more, or when the write fails.
 */
export function serviceHook(addresses: ClusterIpAllocator, nodePorts: NodePortAllocator): WriteHook {
  return {
    group: '',
    resource: 'services',
    normalize: (object, old) => normalizeService(object as unknown as Service, old as unknown as Service | undefined, addresses.families),
    beginCreate: (object, context) => allocate({ addresses, nodePorts, context }, object, undefined),
    beginUpdate: (object, old, context) => allocate({ addresses, nodePorts, context }, object, old),
    async afterDelete(object) {
      const service = object as unknown as Service
      const name = nameOf(object)
      for (const ip of addressesOf(service.spec)) await addresses.release(ip, name)
      await nodePorts.release(portsOf(service.spec))
    },
  }
}

interface Work {
  addresses: ClusterIpAllocator
  nodePorts: NodePortAllocator
  context: WriteContext
}

async function allocate(work: Work, object: ApiObject, old: ApiObject | undefined): Promise<WriteOutcome> {
  const spec = (object as unknown as Service).spec
  const before = (old as unknown as Service | undefined)?.spec
  if (!spec) return {}
  const name = nameOf(object)
  const { dryRun } = work.context
  const taken: string[] = []
  try {
    if (needsClusterIp(spec) && !isHeadless(spec)) await takeAddresses(work, spec, before, name, taken)
    const ports = await takePorts(work, name.name, spec, before)
    if (dryRun) return {}
    const unused = addressesOf(before).filter((ip) => !needsClusterIp(spec) || !(spec.clusterIPs ?? []).includes(ip))
    const unusedPorts = portsOf(before).filter((p) => !portsOf(spec).includes(p))
    return {
      async commit() {
        for (const ip of unused) await work.addresses.release(ip, name)
        await work.nodePorts.release(unusedPorts)
      },
      async revert() {
        for (const ip of taken) await work.addresses.release(ip, name)
        await work.nodePorts.release(ports)
      },
    }
  } catch (error) {
    if (!dryRun) for (const ip of taken) await work.addresses.release(ip, name)
    throw error
  }
}

/** Takes an address for each family that has none yet; `taken` tells which, also when it throws. */
async function takeAddresses(work: Work, spec: Spec, before: Spec | undefined, name: ServiceName, taken: string[]): Promise<void> {
  const held = new Set(before && needsClusterIp(before) ? addressesOf(before) : [])
  const addresses = [...(spec.clusterIPs ?? [])]
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    const wanted = addresses[index] ?? ''
    if (wanted !== '' && held.has(wanted)) continue
    const got = await takeAddress(work, spec, name, family as IpFamily, wanted)
    if (!work.context.dryRun) taken.push(got)
    addresses[index] = got
  }
  spec.clusterIPs = addresses
  if (addresses[0]) spec.clusterIP = addresses[0]
}

async function takeAddress(work: Work, spec: Spec, name: ServiceName, family: IpFamily, wanted: string): Promise<string> {
  const { addresses, context } = work
  if (wanted === '') {
    try {
      return await addresses.allocateNext(family, name, context.dryRun)
    } catch (error) {
      throw error instanceof AllocationError ? internalError(new Error(`failed to allocate a serviceIP: ${error.message}`, { cause: error })) : error
    }
  }
  try {
    await addresses.allocate(wanted, name, context.dryRun)
    return wanted
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    throw invalid({ group: '', kind: 'Service' }, name.name, [{ type: 'Invalid', field: 'spec.clusterIPs', badValue: spec.clusterIPs, detail: `failed to allocate IP ${wanted}: ${error.message}` }])
  }
}

/** Takes node ports in one step, writes them into the spec, and gives those that are newly taken. */
async function takePorts(work: Work, name: string, spec: Spec, before: Spec | undefined): Promise<number[]> {
  if (!needsNodePort(spec) && !needsHealthCheckPort(spec)) return []
  const { chosen, healthCheck, taken } = await work.nodePorts.take((bitmap) => {
    const result = choosePorts(name, spec, before, bitmap, Math.random)
    return { taken: result.taken, result }
  }, work.context.dryRun)
  for (const [index, port] of chosen.entries()) {
    const entry = spec.ports?.[index]
    if (entry && port > 0) entry.nodePort = port
  }
  if (healthCheck > 0) spec.healthCheckNodePort = healthCheck
  return work.context.dryRun ? [] : taken
}

function portsOf(spec: Spec | undefined): number[] {
  return [...nodePortsOf(spec), ...(spec?.healthCheckNodePort ? [spec.healthCheckNodePort] : [])]
}

function nameOf(object: ApiObject): ServiceName {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name }
}
