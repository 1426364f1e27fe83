import type { Service, ServiceSpec } from '../../types/core/v1.ts'
import { checkPort, checkRequiredOneOf, textOf } from '../common.ts'
import { invalid, required } from '../field-errors.ts'
import type { FieldError } from '../field-errors.ts'

/** True if traffic from outside can come in: by node port, by load balancer, by external address. */
export function isExternallyAccessible(spec: ServiceSpec | undefined): boolean {
  return spec?.type === 'LoadBalancer' || spec?.type === 'NodePort' || (spec?.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
}

/** True for load balancers that must learn which nodes have endpoints. */
export const needsHealthCheck = (spec: ServiceSpec | undefined): boolean => spec?.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

export function checkExternalTraffic({ spec }: Service): FieldError[] {
  const policy = textOf(spec?.externalTrafficPolicy)
  const errors: FieldError[] = []
  if (isExternallyAccessible(spec)) errors.push(...checkRequiredOneOf('spec.externalTrafficPolicy', policy, ['Cluster', 'Local']))
  else if (policy !== '') errors.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'))
  const port = spec?.healthCheckNodePort ?? 0
  if (needsHealthCheck(spec)) errors.push(...(port === 0 ? [required('spec.healthCheckNodePort')] : checkPort('spec.healthCheckNodePort', port)))
  else if (port !== 0) errors.push(invalid('spec.healthCheckNodePort', port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
  return errors
}
