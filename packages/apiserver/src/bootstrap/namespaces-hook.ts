import { core } from '@berth/api'
import { StatusError } from '../errors.ts'
import type { BootstrapHook, ResourceStore } from '../interfaces.ts'

/** The namespaces that the system itself uses, `default` among them. They cannot be deleted for good: a start makes them again. */
export const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

/** Makes the system namespaces. */
export function namespacesHook(store: ResourceStore): BootstrapHook {
  return {
    name: 'start-system-namespaces-controller',
    async run() {
      await Promise.all(systemNamespaces.filter((name) => !store.get(core.namespaces, name)).map(async (name) => {
        await ignoreExisting(store.create(core.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} }))
      }))
    },
  }
}

/** Waits for a create; that somebody else was faster is as good. */
export async function ignoreExisting(write: Promise<unknown>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof StatusError && error.reason === 'AlreadyExists')) throw error
  }
}
