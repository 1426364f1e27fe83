import type { PodInfo } from '../framework/pod-info.ts'
import type { Plugin } from '../framework/plugin.ts'

/** Binds a pod to its node by the API's Binding. */
export function defaultBinder(bind: ((pod: PodInfo, node: string) => Promise<void>) | undefined): Plugin {
  return {
    name: 'DefaultBinder',
    async bind(pod, node) {
      if (!bind) throw new Error('this scheduler has no API server to bind with')
      await bind(pod, node)
    },
  }
}
