// Objects with a time to live (Events): removed once they have not changed for that long.
import { StatusError } from '../errors.ts'
import type { ServerLog } from '../interfaces.ts'
import { noAdmission } from './admission-chain.ts'
import { deleteObject } from './delete.ts'
import type { Registry } from './registry.ts'
import { internalScope } from './scope.ts'
import { stringAt } from './values.ts'

const sweepIntervalMs = 60_000

/** Sweeps once a minute until stopped; not at all where the storage does that. */
export function startExpiry(registry: Registry, options: { eventTtlSeconds: number }, log: ServerLog): () => void {
  if (registry.storage.expires) return () => {}
  const timer = setInterval(() => {
    sweep(registry, options).catch((error: unknown) => log.error(error, 'Removing expired objects failed'))
  }, sweepIntervalMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** Removes what is past its time now. */
export async function sweep(registry: Registry, options: { eventTtlSeconds: number }): Promise<void> {
  for (const runtime of registry.runtimes()) {
    const ttl = runtime.definition.ttlSeconds?.(options)
    if (ttl === undefined || ttl <= 0) continue
    const limit = registry.now() - ttl * 1000
    const expired = [...runtime.cache.range(runtime.cache.prefix)].filter((cached) => lastChange(cached.object) < limit)
    await Promise.all(expired.map(async (cached) => {
      const { name, namespace = '', uid } = cached.object.metadata
      try {
        await deleteObject(registry, runtime, namespace, name, { gracePeriodSeconds: 0, preconditions: { ...(uid !== undefined && { uid }) } }, internalScope(noAdmission))
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
      }
    }))
  }
}

/** When an Event was written last: managedFields say so of every write; its own times are the client's. */
function lastChange(object: { metadata: { creationTimestamp?: string | null, managedFields?: unknown[] } }): number {
  const times = [object.metadata.creationTimestamp ?? '', ...(object.metadata.managedFields ?? []).map((m) => stringAt(m, 'time'))]
  return Math.max(...times.map((t) => Date.parse(t)).filter((t) => !Number.isNaN(t)), 0)
}
