// APIServices: which server answers for a group version, and whether it can.
import type { APIService, APIServiceCondition, APIServiceStatus } from '@berth/api/types/apiregistration/v1'

/** Where an APIService's server is found. */
export interface ServiceKey { readonly namespace: string, readonly name: string, readonly port: number }

/** The Service of an APIService; undefined where this server answers itself. */
export function serviceOf({ spec: { service } }: APIService): ServiceKey | undefined {
  return service ? { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443 } : undefined
}

/** `apps/v1`, or `v1` for the core group. */
export function groupVersionOf({ spec: { group = '', version = '' } }: APIService): string {
  return group === '' ? version : `${group}/${version}`
}

/** The name under which a group version is registered: `v1.apps`, `v1.`. */
export function apiServiceName(groupVersion: string): string {
  const [group, version] = groupVersion.includes('/') ? groupVersion.split('/') : ['', groupVersion]
  return `${version ?? ''}.${group ?? ''}`
}

/** The path below which a group version is served. */
export function pathOf(groupVersion: string): string {
  return groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`
}

export function isAvailable({ status }: APIService): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === 'Available' && value === 'True') ?? false
}

/** The status with the condition Available set; the time moves only where True becomes False or the other way round. `now`: RFC 3339. */
export function withAvailable({ status }: APIService, available: Pick<APIServiceCondition, 'status' | 'reason' | 'message'>, now: string): APIServiceStatus {
  const conditions = status?.conditions ?? []
  const known = conditions.find(({ type }) => type === 'Available')
  const lastTransitionTime = known?.status === available.status ? known.lastTransitionTime ?? now : now
  const condition = { lastTransitionTime, message: available.message ?? '', reason: available.reason ?? '', status: available.status, type: 'Available' }
  return { ...status, conditions: known ? conditions.map((each) => (each === known ? condition : each)) : [...conditions, condition] }
}
