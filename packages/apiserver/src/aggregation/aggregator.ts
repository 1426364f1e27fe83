// The other API servers behind this one: who answers for a group version, what they serve, and whether they are there.
import { isDeepStrictEqual } from 'node:util'
import { apiregistration } from '@berth/api'
import type { APIService } from '@berth/api/types/apiregistration/v1'
import { createWorkQueue } from '@berth/kube'
import type { ApiResponse, ServerLog } from '../interfaces.ts'
import { groupVersionOf, serviceOf } from './api-services.ts'
import { keepAvailability } from './availability-controller.ts'
import type { BackendAccess } from './backends.ts'
import type { AggregatorMetrics } from './metrics.ts'
import { passOn } from './passing-on.ts'
import type { PassedRequest, PassingOptions } from './passing-on.ts'
import { remoteResources } from './remote-discovery.ts'
import type { DiscoveredResource } from './remote-discovery.ts'
import { remoteOpenApi } from './remote-openapi.ts'
import type { RemoteOpenApi, Swagger } from './remote-openapi.ts'

const refreshMs = 60_000
const firstRetryMs = 500
const workers = 2

/** A group version that another server serves. */
export interface AggregatedVersion {
  readonly group: string
  readonly version: string
  readonly priority: { readonly group: number, readonly version: number }
  /** What it serves; undefined until its server was asked for the first time. */
  readonly discovered: { readonly resources: readonly DiscoveredResource[], readonly freshness: 'Current' | 'Stale' } | undefined
}

interface Remote {
  service: APIService
  discovered?: AggregatedVersion['discovered']
  openApi?: RemoteOpenApi
}

/** Follows APIServices that name a Service; their group versions are passed on from then on. */
export class Aggregator {
  readonly #access: BackendAccess
  readonly #passing: PassingOptions
  readonly #metrics: AggregatorMetrics
  readonly #log: ServerLog
  /** By group version. */
  readonly #remotes = new Map<string, Remote>()
  readonly #queue = createWorkQueue({ name: 'discovery-manager', baseDelayMs: firstRetryMs, maxDelayMs: refreshMs })
  #version = 0

  constructor(access: BackendAccess, passing: PassingOptions, metrics: AggregatorMetrics, log: ServerLog) {
    this.#access = access
    this.#passing = passing
    this.#metrics = metrics
    this.#log = log
  }

  /** Passes requests on at once; asks servers for what they serve, and keeps the conditions of APIServices, until the signal. */
  start(signal: AbortSignal): void {
    const stop = this.#access.store.onChange(apiregistration.apiservices, (type, service) => this.#apply(type === 'DELETED' ? undefined : service, groupVersionOf(service)))
    signal.addEventListener('abort', () => {
      stop()
      this.#queue.shutDown()
    }, { once: true })
    for (let count = 0; count < workers; count++) void this.#work(signal)
    keepAvailability(this.#access, this.#metrics, this.#log, signal)
  }

  /** Grows whenever something that others show of it changes. */
  get version(): number {
    return this.#version
  }

  /** Every group version that is passed on. */
  versions(): AggregatedVersion[] {
    return [...this.#remotes.values()].map(({ service: { spec }, discovered }) => ({
      group: spec.group ?? '', version: spec.version ?? '', priority: { group: spec.groupPriorityMinimum, version: spec.versionPriority }, discovered,
    }))
  }

  /** Where v3 documents are, by their path below /openapi/v3/. */
  openApiV3(): Map<string, string> {
    return new Map([...this.#remotes].flatMap(([groupVersion, { openApi }]) => (openApi?.v3Url === undefined ? [] : [[`apis/${groupVersion}`, openApi.v3Url] as const])))
  }

  /** What is to be merged into our v2 document. */
  openApiV2(): Swagger[] {
    return [...this.#remotes.values()].flatMap(({ openApi }): Swagger[] => (openApi?.v2 ? [openApi.v2] : []))
  }

  /** The answer of the server whose path it is; undefined (and no promise) where it is ours. An answer of undefined: the connection was taken over. */
  passOn(passed: PassedRequest): Promise<ApiResponse | undefined> | undefined {
    if (this.#remotes.size === 0) return undefined
    const path = /^\/(?:openapi\/v3\/)?apis\/([^/]+\/[^/]+)(?:\/|$)/.exec(passed.info.path)
    const remote = path && this.#remotes.get(path[1] ?? '')
    return remote ? passOn(this.#access, remote.service, passed, this.#passing) : undefined
  }

  #apply(service: APIService | undefined, groupVersion: string): void {
    const known = this.#remotes.get(groupVersion)
    if (!service || !serviceOf(service)) {
      if (!known) return
      this.#remotes.delete(groupVersion)
      this.#version++
      return
    }
    this.#remotes.set(groupVersion, { ...known, service })
    if (!known || !isDeepStrictEqual(known.service.spec, service.spec)) this.#version++
    this.#queue.add(groupVersion)
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let groupVersion = await this.#queue.get(); groupVersion !== undefined; groupVersion = await this.#queue.get()) {
      try {
        if (await this.#ask(groupVersion, signal)) {
          this.#queue.forget(groupVersion)
          if (this.#remotes.has(groupVersion)) this.#queue.addAfter(groupVersion, refreshMs)
        } else if (!signal.aborted) this.#queue.addRateLimited(groupVersion)
      } finally {
        this.#queue.done(groupVersion)
      }
    }
  }

  /** Whether the server told what it serves. */
  async #ask(groupVersion: string, signal: AbortSignal): Promise<boolean> {
    const remote = this.#remotes.get(groupVersion)
    if (!remote) return true
    try {
      const resources = await remoteResources(this.#access, remote.service, signal)
      this.#learn(groupVersion, { discovered: { resources, freshness: 'Current' } })
    } catch {
      // Why is told by the condition Available.
      if (!signal.aborted) this.#learn(groupVersion, { discovered: { resources: [], freshness: 'Stale' } })
      return false
    }
    try {
      this.#learn(groupVersion, { openApi: await remoteOpenApi(this.#access, remote.service, remote.openApi, signal) })
    } catch (error) {
      if (!signal.aborted) this.#log.error(error, 'Unable to read the OpenAPI documents of an aggregated server', { groupVersion })
    }
    return true
  }

  #learn(groupVersion: string, what: Pick<Remote, 'discovered' | 'openApi'>): void {
    const remote = this.#remotes.get(groupVersion)
    if (!remote) return
    const changed = Object.entries(what).some(([name, value]) => !isDeepStrictEqual(remote[name as keyof typeof what], value))
    this.#remotes.set(groupVersion, { ...remote, ...what })
    if (changed) this.#version++
  }
}
