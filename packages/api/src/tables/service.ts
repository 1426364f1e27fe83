import type { Service, ServiceSpec } from '../types/core/v1.ts'
import { ageColumn, nameColumn } from './column.ts'
import type { KindTable } from './column.ts'
import { ageOf } from './duration.ts'
import { formatLabels } from './format.ts'

function externalIp({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? []
  switch (spec?.type) {
    case 'ClusterIP': case 'NodePort':
      return external.join(',') || '<none>'
    case 'LoadBalancer': {
      const own = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((text) => text !== '')
      return [...[...new Set(own)].sort(), ...external].join(',') || '<pending>'
    }
    case 'ExternalName': return spec.externalName ?? ''
    default: return '<unknown>'
  }
}

const ports = (spec: ServiceSpec | undefined): string =>
  (spec?.ports ?? []).map(({ port, nodePort, protocol }) => (nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`)).join(',') || '<none>'

export const serviceTable: KindTable<Service> = {
  columns: [
    nameColumn,
    { name: 'Type', description: ['core/v1', 'ServiceSpec', 'type'] },
    { name: 'Cluster-IP', description: ['core/v1', 'ServiceSpec', 'clusterIP'] },
    { name: 'External-IP', description: ['core/v1', 'ServiceSpec', 'externalIPs'] },
    { name: 'Port(s)', description: ['core/v1', 'ServiceSpec', 'ports'] },
    ageColumn,
    { name: 'Selector', wide: true, description: ['core/v1', 'ServiceSpec', 'selector'] },
  ],
  cells: (service, now) => [
    service.metadata.name, service.spec?.type ?? '', service.spec?.clusterIPs?.[0] ?? '<none>', externalIp(service), ports(service.spec), ageOf(service, now), formatLabels(service.spec?.selector),
  ],
}
