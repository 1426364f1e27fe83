import { core } from '@berth/api'
import { StatusError } from '../errors.ts'
import type { BootstrapHook, ResourceStore, ServerLog } from '../interfaces.ts'
import { repeat } from './repeat.ts'

/** The namespaces that the system itself uses, `default` among them. They cannot be deleted for good. */
export const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

/** Makes the system namespaces, and makes them again when they are gone. */
export function namespacesHook(store: ResourceStore, log: ServerLog): BootstrapHook {
  return {
    name: 'start-system-namespaces-controller',
    run: (signal) => repeat(async () => {
      await Promise.all(systemNamespaces.filter((name) => !store.get(core.namespaces, name)).map(async (name) => {
        await ignoreExisting(store.create(core.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} }))
      }))
    }, 60_000, signal, log, 'make the system namespaces'),
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
