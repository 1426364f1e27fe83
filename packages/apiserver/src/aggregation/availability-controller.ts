// Keeps the condition Available of every APIService.
import { isDeepStrictEqual } from 'node:util'
import { apiregistration, core, discovery } from '@berth/api'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { createWorkQueue } from '@berth/kube'
import { StatusError } from '../errors.ts'
import type { ResourceStore, ServerLog } from '../interfaces.ts'
import { formatTime } from '../registry/values.ts'
import { isAvailable, serviceOf, withAvailable } from './api-services.ts'
import { discoveryCheck, local, serviceProblem } from './availability.ts'
import type { Available } from './availability.ts'
import type { BackendAccess } from './backends.ts'
import type { AggregatorMetrics } from './metrics.ts'

const workers = 5
const resyncMs = 30_000
const maxDelayMs = 30_000

/** Looks at an APIService when it, its Service or its endpoints change, every 30 seconds, and sooner while it fails. Returns once it follows. */
export function keepAvailability(access: BackendAccess, metrics: AggregatorMetrics, log: ServerLog, signal: AbortSignal): void {
  const { store } = access
  const queue = createWorkQueue({ name: 'RemoteAvailabilityController', maxDelayMs })
  const sync = async (name: string): Promise<void> => {
    const service = store.get(apiregistration.apiservices, name)
    if (!service) return queue.forget(name)
    const available = await availabilityOf(access, service, signal)
    if (signal.aborted) return
    await setAvailable(access.store, name, available, metrics, log)
    if (available.reason === 'FailedDiscoveryCheck') queue.addRateLimited(name)
    else queue.forget(name)
  }
  const work = async (): Promise<void> => {
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      try {
        await sync(name)
      } catch (error) {
        if (!isRace(error)) log.error(error, 'Unable to tell whether an APIService is available', { name })
        queue.addRateLimited(name)
      } finally {
        queue.done(name)
      }
    }
  }
  const ofService = (namespace: string, name: string): void => {
    for (const each of store.list(apiregistration.apiservices)) {
      const key = serviceOf(each)
      if (key?.name === name && key.namespace === namespace) queue.add(each.metadata.name)
    }
  }
  const stops = [
    store.onChange(apiregistration.apiservices, (_type, service) => queue.add(service.metadata.name)),
    store.onChange(core.services, (_type, service) => ofService(service.metadata.namespace ?? '', service.metadata.name)),
    store.onChange(discovery.endpointslices, (_type, slice) => ofService(slice.metadata.namespace ?? '', slice.metadata.labels?.['kubernetes.io/service-name'] ?? '')),
  ]
  const resync = setInterval(() => {
    for (const service of store.list(apiregistration.apiservices)) if (serviceOf(service)) queue.add(service.metadata.name)
  }, resyncMs)
  resync.unref()
  signal.addEventListener('abort', () => {
    clearInterval(resync)
    for (const stop of stops) stop()
    queue.shutDown()
  }, { once: true })
  for (let count = 0; count < workers; count++) void work()
}

async function availabilityOf(access: BackendAccess, service: APIService, signal: AbortSignal): Promise<Available> {
  const key = serviceOf(service)
  if (!key) return local
  const slices = access.store.list(discovery.endpointslices, key.namespace).filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === key.name)
  return serviceProblem(key, access.store.get(core.services, key.name, key.namespace), slices) ?? discoveryCheck(access, service, signal)
}

async function setAvailable(store: ResourceStore, name: string, available: Available, metrics: AggregatorMetrics, log: ServerLog): Promise<void> {
  // What changed while the server was asked comes back through the queue.
  const service = store.get(apiregistration.apiservices, name)
  if (!service || (serviceOf(service) === undefined) !== (available.reason === 'Local')) return
  const status = withAvailable(service, available, formatTime(Date.now()))
  if (isDeepStrictEqual(status, service.status)) return
  await store.update(apiregistration.apiservices, { ...service, status }, { subresource: 'status' })
  if (available.status === 'False' && (isAvailable(service) || !service.status?.conditions?.length)) metrics.becameUnavailable(name, available.reason ?? '')
  if (available.reason !== 'Local') log.info('An APIService\'s availability changed', { name, ...available })
}

function isRace(error: unknown): boolean {
  return error instanceof StatusError && (error.reason === 'Conflict' || error.reason === 'NotFound')
}
