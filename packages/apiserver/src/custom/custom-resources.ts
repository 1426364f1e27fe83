// Serves what CustomResourceDefinitions define: follows them, accepts their names, serves their versions, and empties what is being deleted.
import { apiextensions } from '@berth/api'
import type { CustomResourceDefinition } from '@berth/api/types/apiextensions/v1'
import { StatusError } from '../errors.ts'
import type { ApiObject, ResourceStore, ServerLog } from '../interfaces.ts'
import { noAdmission } from '../registry/admission-chain.ts'
import type { ResourceDefinition } from '../registry/definition.ts'
import { deleteObject } from '../registry/delete.ts'
import type { Registry } from '../registry/registry.ts'
import { internalScope } from '../registry/scope.ts'
import { formatTime } from '../registry/values.ts'
import { cleanupFinalizer } from '../resources/customresourcedefinitions.ts'
import { WebhookConversion } from './conversion.ts'
import { definitionsOf } from './definition.ts'
import type { ExtraOf } from './definition.ts'
import { isEstablished, statusOf, withCondition } from './names.ts'

const retryMs = 1000

interface Served { readonly of: string, readonly resources: readonly ResourceDefinition[] }

/** What custom resources need of the server. */
export interface CustomResourcesOptions {
  readonly registry: Registry
  readonly store: ResourceStore
  readonly log: ServerLog
  readonly extraOf: ExtraOf
}

/** Follows the definitions until stopped. Works through them one at a time: names are accepted in the order in which they came. */
export class CustomResources {
  readonly #options: CustomResourcesOptions
  readonly #served = new Map<string, Served>()
  readonly #waiting = new Set<string>()
  #working = false
  #stopped = false
  #unfollow: () => void = () => {}

  constructor(options: CustomResourcesOptions) {
    this.#options = options
  }

  /** Serves what is established already, at once, and follows changes from then on. */
  start(): void {
    this.#unfollow = this.#options.store.onChange(apiextensions.customresourcedefinitions, (type, crd) => {
      // What was established before a restart is there before the first request.
      if (type !== 'DELETED' && isEstablished(crd)) this.#serve(crd)
      this.#waiting.add(crd.metadata.name)
      this.#work()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#unfollow()
  }

  #work(): void {
    if (this.#working || this.#stopped) return
    this.#working = true
    void this.#drain().finally(() => { this.#working = false })
  }

  async #drain(): Promise<void> {
    for (let [name] = this.#waiting; name !== undefined && !this.#stopped; [name] = this.#waiting) {
      this.#waiting.delete(name)
      try {
        await this.#settle(name)
      } catch (error) {
        const again = name
        // Somebody else changed it meanwhile: that change is on its way here.
        if (error instanceof StatusError && (error.reason === 'Conflict' || error.reason === 'NotFound')) continue
        this.#options.log.error(error, 'A CustomResourceDefinition could not be settled and is tried again', { name })
        setTimeout(() => {
          this.#waiting.add(again)
          this.#work()
        }, retryMs).unref()
      }
    }
  }

  async #settle(name: string): Promise<void> {
    const { store, registry } = this.#options
    const crd = store.get(apiextensions.customresourcedefinitions, name)
    if (!crd) return this.#unserve(name)
    if (crd.metadata.deletionTimestamp) return this.#empty(crd)
    const others = store.list(apiextensions.customresourcedefinitions).filter((other) => other.metadata.name !== name && other.spec.group === crd.spec.group)
    const status = statusOf(crd, others, formatTime(registry.now()))
    if (JSON.stringify(status) !== JSON.stringify(crd.status)) await store.update(apiextensions.customresourcedefinitions, { ...crd, status }, { subresource: 'status' })
    else if (isEstablished(crd)) this.#serve(crd)
  }

  /** Serves the definition as it is now; nothing happens where it is served so already. */
  #serve(crd: CustomResourceDefinition): void {
    const { name } = crd.metadata
    const names = crd.status?.acceptedNames
    if (!names) return
    const of = JSON.stringify([crd.spec, names])
    const before = this.#served.get(name)
    if (before?.of === of) return
    const { registry, store, log, extraOf } = this.#options
    try {
      const conversion = WebhookConversion.of(crd, store)
      const { stored, views, servesStored } = definitionsOf(crd, names, extraOf, conversion)
      if (!servesStored) log.info('The version that is stored is served as well, though its definition says it is not', { name, version: stored.resource.version })
      const resources = [stored, ...views]
      for (const old of before?.resources ?? []) if (!resources.some(({ resource }) => resource.version === old.resource.version)) registry.remove(old.resource)
      registry.add(stored)
      for (const view of views) registry.add(view)
      this.#served.set(name, { of, resources })
    } catch (error) {
      log.error(error, 'A CustomResourceDefinition cannot be served', { name })
    }
  }

  #unserve(name: string): void {
    for (const { resource } of this.#served.get(name)?.resources.toReversed() ?? []) this.#options.registry.remove(resource)
    this.#served.delete(name)
  }

  /** Deletes the objects of a definition that is going; when none is left, lets the definition go. */
  async #empty(crd: CustomResourceDefinition): Promise<void> {
    const { store, registry } = this.#options
    const { name, finalizers = [] } = crd.metadata
    if (!finalizers.includes(cleanupFinalizer)) return
    const { group, names: { plural } } = crd.spec
    const runtime = registry.runtime(group, plural)
    const left = runtime ? [...runtime.cache.range(runtime.cache.prefix)] : []
    const now = formatTime(registry.now())
    if (left.length === 0) {
      const conditions = withCondition(crd, { type: 'Terminating', status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' }, now)
      const updated = await store.update(apiextensions.customresourcedefinitions, { ...crd, status: { ...crd.status, conditions } }, { subresource: 'status' })
      await store.update(apiextensions.customresourcedefinitions, { ...updated, metadata: { ...updated.metadata, finalizers: finalizers.filter((each) => each !== cleanupFinalizer) } })
      return
    }
    if (crd.status?.conditions?.some(({ type, reason }) => type === 'Terminating' && reason === 'InstanceDeletionInProgress') !== true) {
      const conditions = withCondition(crd, { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' }, now)
      await store.update(apiextensions.customresourcedefinitions, { ...crd, status: { ...crd.status, conditions } }, { subresource: 'status' })
    }
    for (const { object } of left) if (runtime) await this.#remove(runtime, object)
    // Finalizers may hold some of them: look again.
    setTimeout(() => {
      this.#waiting.add(name)
      this.#work()
    }, retryMs).unref()
  }

  async #remove(runtime: NonNullable<ReturnType<Registry['runtime']>>, { metadata: { name, namespace = '', uid } }: ApiObject): Promise<void> {
    try {
      await deleteObject(this.#options.registry, runtime, namespace, name, { preconditions: { uid }, dryRun: false, raw: {} } as never, internalScope(noAdmission))
    } catch (error) {
      if (!(error instanceof StatusError) || (error.reason !== 'NotFound' && error.reason !== 'Conflict')) throw error
    }
  }
}
