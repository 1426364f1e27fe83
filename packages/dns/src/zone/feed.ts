import { core, discovery } from '@berth/api'
import type { Namespace, Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import { type Informer, type Informers, keyOf } from '@berth/kube'
import { recordsOf } from './service-records.ts'
import type { Zone } from './zone.ts'

const serviceNameLabel = 'kubernetes.io/service-name'
const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time'

export interface ZoneFeed {
  services: Informer<Service>
  slices: Informer<EndpointSlice>
  /** Whether the zone is complete. */
  synced(): boolean
  whenSynced(signal: AbortSignal): Promise<void>
  stop(): void
}

/** Keeps a zone as the API server says, service by service. */
export function feedZone(zone: Zone, informers: Informers, programmed: (seconds: number) => void): ZoneFeed {
  const services = informers.for<Service>(core.services, { project: projectService })
  const slices = informers.for<EndpointSlice>(discovery.endpointslices, { project: projectSlice, indexers: { service: (slice) => [serviceOf(slice)] } })
  const namespaces = informers.for<Namespace>(core.namespaces, { project: projectNamespace })
  const update = (key: string): void => {
    const service = services.store.get(key)
    zone.setService(key, service && recordsOf(service, slices.store.byIndex('service', key)), Date.now())
  }
  const offs = [
    services.on({ added: (s) => update(keyOf(s)), updated: (_, s) => update(keyOf(s)), deleted: (s) => update(keyOf(s)) }),
    slices.on({
      added: (slice) => update(serviceOf(slice)),
      updated: (old, slice) => {
        update(serviceOf(slice))
        if (serviceOf(old) !== serviceOf(slice)) update(serviceOf(old))
        const at = Date.parse(slice.metadata.annotations?.[triggerTime] ?? '')
        if (!Number.isNaN(at) && services.store.get(serviceOf(slice))?.spec?.clusterIP === 'None') programmed((Date.now() - at) / 1000)
      },
      deleted: (slice) => update(serviceOf(slice)),
    }),
    namespaces.on({ added: (n) => zone.setNamespace(n.metadata.name, true), deleted: (n) => zone.setNamespace(n.metadata.name, false) }),
  ]
  const all = [services, slices, namespaces]
  return {
    services,
    slices,
    synced: () => all.every((informer) => informer.synced),
    whenSynced: async (signal) => void await Promise.all(all.map((informer) => informer.whenSynced(signal))),
    stop: () => offs.forEach((off) => off()),
  }
}

function serviceOf(slice: EndpointSlice): string {
  return `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`
}

// Every node holds all services: only what is answered is kept.
function projectService({ apiVersion, kind, metadata, spec }: Service): Service {
  const { name, namespace, uid, resourceVersion } = metadata
  return {
    apiVersion, kind, metadata: { name, namespace, uid, resourceVersion },
    spec: {
      type: spec?.type, clusterIP: spec?.clusterIP, clusterIPs: spec?.clusterIPs, externalName: spec?.externalName, publishNotReadyAddresses: spec?.publishNotReadyAddresses,
      ports: spec?.ports?.map(({ name: port, port: number, protocol }) => ({ name: port, port: number, protocol })),
    },
  }
}

function projectSlice({ apiVersion, kind, metadata, addressType, ports, endpoints }: EndpointSlice): EndpointSlice {
  const { name, namespace, uid, resourceVersion, labels, annotations } = metadata
  const service = labels?.[serviceNameLabel]
  const trigger = annotations?.[triggerTime]
  return {
    apiVersion, kind, addressType, ports,
    metadata: { name, namespace, uid, resourceVersion, ...(service === undefined ? {} : { labels: { [serviceNameLabel]: service } }), ...(trigger === undefined ? {} : { annotations: { [triggerTime]: trigger } }) },
    endpoints: endpoints?.map(({ addresses, hostname, conditions }) => ({ addresses, ...(hostname ? { hostname } : {}), conditions: { ready: conditions?.ready } })),
  }
}

function projectNamespace({ apiVersion, kind, metadata }: Namespace): Namespace {
  const { name, uid, resourceVersion } = metadata
  return { apiVersion, kind, metadata: { name, uid, resourceVersion }, spec: {} }
}
