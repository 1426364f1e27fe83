// Registers what this server serves itself.
import { apiextensions, apiregistration } from '@berth/api'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { createWorkQueue } from '@berth/kube'
import { StatusError } from '../errors.ts'
import type { BootstrapHook, ResourceStore, ServerLog } from '../interfaces.ts'
import { builtInServices, customServices, nextStep } from './auto-registration.ts'

/** Creates the APIServices of built-in group versions, and from then on keeps those of custom resources. */
export function autoRegistrationHook(store: ResourceStore, builtIn: () => Iterable<string>, log: ServerLog): BootstrapHook {
  return {
    name: 'kube-apiserver-autoregistration',
    async run(signal) {
      const onStart = new Map(builtInServices(builtIn()).map((service) => [service.metadata.name, service]))
      const atStart = new Set(store.list(apiregistration.apiservices).map(({ metadata }) => metadata.name))
      const synced = new Set<string>()
      const desiredOf = (name: string): APIService | undefined => customServices(store.list(apiextensions.customresourcedefinitions)).find((each) => each.metadata.name === name) ?? onStart.get(name)
      const sync = async (name: string): Promise<void> => {
        await takeStep(store, name, desiredOf(name), { synced: synced.has(name), atStart: atStart.has(name) })
        synced.add(name)
      }
      const custom = customServices(store.list(apiextensions.customresourcedefinitions)).map(({ metadata }) => metadata.name)
      await Promise.all([...new Set([...onStart.keys(), ...custom, ...atStart])].map(sync))
      if (!signal.aborted) follow(store, sync, log, signal)
    },
  }
}

/** Throws only what is no race with somebody else's write: of those the next change tells. */
async function takeStep(store: ResourceStore, name: string, desired: APIService | undefined, state: { synced: boolean, atStart: boolean }): Promise<void> {
  const current = store.get(apiregistration.apiservices, name)
  try {
    const step = nextStep(desired, current, state)
    if (step === 'create' && desired) await store.create(apiregistration.apiservices, desired)
    if (step === 'replace' && desired && current) await store.update(apiregistration.apiservices, { ...current, spec: desired.spec })
    if (step === 'delete' && current) await store.delete(apiregistration.apiservices, name, current.metadata.uid === undefined ? {} : { uid: current.metadata.uid })
  } catch (error) {
    if (!(error instanceof StatusError) || !['AlreadyExists', 'Conflict', 'NotFound'].includes(error.reason)) throw error
  }
}

function follow(store: ResourceStore, sync: (name: string) => Promise<void>, log: ServerLog, signal: AbortSignal): void {
  const queue = createWorkQueue({ name: 'autoregister' })
  const stops = [
    store.onChange(apiregistration.apiservices, (_type, { metadata }) => queue.add(metadata.name)),
    store.onChange(apiextensions.customresourcedefinitions, (_type, definition, old) => {
      for (const { metadata } of customServices(old ? [definition, old] : [definition])) queue.add(metadata.name)
      // What a change has stopped to serve is registered no more.
      if (old) for (const { name } of old.spec.versions) queue.add(`${name}.${old.spec.group}`)
    }),
  ]
  signal.addEventListener('abort', () => {
    for (const stop of stops) stop()
    queue.shutDown()
  }, { once: true })
  const work = async (): Promise<void> => {
    for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
      try {
        await sync(name)
        queue.forget(name)
      } catch (error) {
        if (!signal.aborted) log.error(error, 'Unable to register an APIService', { name })
        queue.addRateLimited(name)
      } finally {
        queue.done(name)
      }
    }
  }
  void work()
}
