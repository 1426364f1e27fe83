import type { APIService } from '../types/apiregistration/v1.ts'

export function defaultApiService({ spec }: APIService): void {
  if (spec?.service) spec.service.port ??= 443
}
