import type { ResourceQuota } from '../types/core/v1.ts'
import type { RuntimeClass } from '../types/node/v1.ts'
import { quantity } from '../validation/common.ts'
import { deprecatedLabelMessage } from './labels.ts'

/** On creation: quotas that let more be asked for than used. */
export function resourceQuotaWarnings({ spec }: ResourceQuota, old: ResourceQuota | undefined): string[] {
  const hard = spec?.hard ?? {}
  if (old !== undefined) return []
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((name) => {
    const asked = [`requests.${name}`, ...(name === 'cpu' || name === 'memory' ? [name] : [])].find((each) => hard[each] !== undefined)
    const limit = hard[`limits.${name}`]
    const request = asked === undefined ? undefined : hard[asked]
    if (limit === undefined || request === undefined || quantity(request).cmp(quantity(limit)) <= 0) return []
    return [`ResourceQuota ${asked} (${request}) should be less than limits.${name} (${limit})`]
  })
}

export function runtimeClassWarnings({ scheduling }: RuntimeClass): string[] {
  return Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
    const message = deprecatedLabelMessage(key)
    return message === undefined ? [] : [`scheduling.nodeSelector: ${message}`]
  })
}
