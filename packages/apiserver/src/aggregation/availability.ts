// Whether an APIService is available, in upstream's reasons and messages.
import type { APIService, APIServiceCondition } from '@berth/api/types/apiregistration/v1'
import type { Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { groupVersionOf, pathOf, serviceOf } from './api-services.ts'
import type { ServiceKey } from './api-services.ts'
import { askBackend, BackendUnreachable } from './backends.ts'
import type { BackendAccess } from './backends.ts'
import { serviceAddress } from './service-address.ts'

export type Available = Pick<APIServiceCondition, 'status' | 'reason' | 'message'>

export const local: Available = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' }
const passed: Available = { status: 'True', reason: 'Passed', message: 'all checks passed' }

const attempts = 5
const answerWithinMs = 5_000

/** What the Service and its endpoints tell: why the APIService is not available; undefined where it is to be asked. */
export function serviceProblem({ namespace, name, port }: ServiceKey, service: Service | undefined, slices: readonly EndpointSlice[]): Available | undefined {
  const unavailable = (reason: string, message: string): Available => ({ status: 'False', reason, message })
  const where = `service/${name} in ${JSON.stringify(namespace)}`
  if (!service) return unavailable('ServiceNotFound', `${where} is not present`)
  if ((service.spec?.type ?? 'ClusterIP') !== 'ClusterIP') return undefined
  const found = service.spec?.ports?.find((each) => each.port === port)
  if (!found) return unavailable('ServicePortError', `${where} is not listening on port ${port}`)
  const portName = found.name ?? ''
  if (slices.length === 0) return unavailable('EndpointsNotFound', `cannot find endpointslices for ${where}`)
  if (!slices.some((slice) => hasEndpoint(slice, portName))) return unavailable('MissingEndpoints', `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`)
  return undefined
}

function hasEndpoint({ endpoints, ports }: EndpointSlice, portName: string): boolean {
  return (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false) && (ports ?? []).some(({ name, port }) => (name ?? '') === portName && port !== undefined)
}

/** Asks the server for the group version's discovery document, several times at once: one good answer is enough. */
export async function discoveryCheck(access: BackendAccess, service: APIService, signal: AbortSignal): Promise<Available> {
  const path = pathOf(groupVersionOf(service))
  try {
    await Promise.any(Array.from({ length: attempts }, () => attempt(access, service, path, signal)))
    return passed
  } catch (error) {
    const last: unknown = error instanceof AggregateError ? error.errors.at(-1) : error
    return { status: 'False', reason: 'FailedDiscoveryCheck', message: last instanceof Error ? last.message : String(last) }
  }
}

async function attempt(access: BackendAccess, service: APIService, path: string, signal: AbortSignal): Promise<void> {
  try {
    const { status } = await askBackend(access, service, path, { timeoutMs: answerWithinMs, signal })
    if (status >= 200 && status < 300) return
    const url = urlOf(access, service, path)
    throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${status}`)
  } catch (error) {
    if (error instanceof BackendUnreachable) throw new Error(`failing or missing response from ${error.url}: ${error.message}`, { cause: error })
    throw error
  }
}

function urlOf(access: BackendAccess, service: APIService, path: string): string {
  const key = serviceOf(service)
  return `https://${key ? serviceAddress(access.store, key, access.toEndpoints) : ''}${path}`
}
