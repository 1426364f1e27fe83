import type { LimitRange } from '../types/core/v1.ts'
import { canonicalizeResources } from './quantities.ts'

/** For containers each missing amount comes from the nearest one that is there. */
export function defaultLimitRange({ spec }: LimitRange): void {
  for (const limit of spec?.limits ?? []) {
    for (const amounts of [limit.max, limit.min, limit.default, limit.defaultRequest, limit.maxLimitRequestRatio]) canonicalizeResources(amounts)
    if (limit.type !== 'Container') continue
    const limits = { ...limit.max, ...limit.default }
    limit.default = limits
    limit.defaultRequest = { ...limit.min, ...limits, ...limit.defaultRequest }
  }
}
