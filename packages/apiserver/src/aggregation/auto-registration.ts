// Which APIServices stand for what this server serves itself, and what is done about one of them. Pure.
import type { APIService } from '@berth/api/types/apiregistration/v1'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import { isDeepStrictEqual } from 'node:util'
import { apiServiceName } from './api-services.ts'
import { builtInPriority, customPriority } from './priorities.ts'
import type { Priority } from './priorities.ts'

/** How the server keeps an APIService: put right once after a start, or at all times. */
export const automanaged = 'kube-aggregator.kubernetes.io/automanaged'

/** The APIServices of built-in group versions (`apps/v1`, `v1`); the aggregator's own group has none. */
export function builtInServices(groupVersions: Iterable<string>): APIService[] {
  const services: APIService[] = []
  for (const groupVersion of groupVersions) {
    const [group = '', version = ''] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
    const priority = builtInPriority(group, version)
    if (priority && group !== 'apiregistration.k8s.io') services.push(serviceFor(group, version, priority, 'onstart'))
  }
  return services
}

/** The APIServices of every version that a definition serves. */
export function customServices(definitions: readonly CustomResourceDefinition[]): APIService[] {
  const versions = new Set(definitions.flatMap(({ spec }) => spec.versions.filter(({ served }) => served).map(({ name }) => `${spec.group}/${name}`)))
  return [...versions].map((groupVersion) => {
    const [group = '', version = ''] = groupVersion.split('/')
    return serviceFor(group, version, customPriority, 'true')
  })
}

function serviceFor(group: string, version: string, priority: Priority, managed: 'onstart' | 'true'): APIService {
  return {
    apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: apiServiceName(group === '' ? version : `${group}/${version}`), labels: { [automanaged]: managed } },
    spec: { ...(group !== '' && { group }), version, groupPriorityMinimum: priority.group, versionPriority: priority.version },
  }
}

export type Step = 'nothing' | 'create' | 'replace' | 'delete'

/** What to do about one APIService: `synced` once it was put right since the start, `atStart` where it was there when the server started. */
export function nextStep(desired: APIService | undefined, current: APIService | undefined, { synced, atStart }: { synced: boolean, atStart: boolean }): Step {
  if (!current && !desired) return 'nothing'
  if (desired && kept(desired) === 'onstart' && synced) return 'nothing'
  if (!current) return 'create'
  const how = kept(current)
  // Somebody's own.
  if (how !== 'onstart' && how !== 'true') return 'nothing'
  if (how === 'onstart' && (!atStart || synced)) return 'nothing'
  if (!desired) return 'delete'
  return isDeepStrictEqual({ ...current.spec, group: current.spec.group ?? '' }, { ...desired.spec, group: desired.spec.group ?? '' }) ? 'nothing' : 'replace'
}

function kept({ metadata }: APIService): string | undefined {
  return metadata.labels?.[automanaged]
}
