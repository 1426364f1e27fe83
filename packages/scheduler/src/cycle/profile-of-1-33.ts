// For the replays of decisions that kube-scheduler 1.33 took.
import { makeProfile, type Profile } from '../framework/profile.ts'

const profile = makeProfile({ schedulerName: 'default-scheduler' })

/**
 * The default profile, but that a node too small for a pod even when it is empty counts as one where removing pods could
 * help: later versions, and we, know that it does not (kubernetes/kubernetes#131345).
 */
export const profileOf133: Profile = {
  ...profile,
  plugins: profile.plugins.map(({ fast, ...plugin }) => (plugin.name === 'NodeResourcesFit'
    ? { ...plugin, filter: (state, pod, node) => {
      const status = plugin.filter?.(state, pod, node)
      return status && { ...status, code: 'Unschedulable' }
    } }
    : { ...plugin, ...(fast ? { fast } : {}) })),
}
