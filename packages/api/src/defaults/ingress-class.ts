import type { IngressClass } from '../types/networking/v1.ts'

export function defaultIngressClass(object: IngressClass): void {
  if (object.spec?.parameters) object.spec.parameters.scope ??= 'Cluster'
}
