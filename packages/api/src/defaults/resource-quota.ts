import type { ResourceQuota } from '../types/core/v1.ts'
import { canonicalizeResources } from './quantities.ts'

export function defaultResourceQuota({ spec, status }: ResourceQuota): void {
  for (const amounts of [spec?.hard, status?.hard, status?.used]) canonicalizeResources(amounts)
}
