import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { skip, unresolvable } from '../framework/status.ts'

/** What a pod asks for that no plugin here decides, in words; undefined where all is decided. */
function unservedWish({ pod }: PodInfo): string | undefined {
  if ((pod.spec.resourceClaims ?? []).length > 0) return 'spec.resourceClaims are set'
  return undefined
}

/**
 * Holds back pods whose placement would need a plugin that is not there (resource claims):
 * they wait with a reason, instead of going where they could not run.
 */
export function unserved(): Plugin {
  return {
    name: 'Unserved',
    dependsOn: 'node',
    events: () => [{ event: 'UnscheduledPodUpdated' }],
    preFilter(_state, pod) {
      const wish = unservedWish(pod)
      return { status: wish === undefined ? skip : unresolvable(`${wish}, which this scheduler does not place yet`) }
    },
  }
}
