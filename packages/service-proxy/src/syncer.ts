import type { Service } from '@berth/api/types/core/v1'
import type { EndpointSlice } from '@berth/api/types/discovery/v1'
import type { Logger } from '@berth/kube'
import { deleteFlows, listUdpFlows } from './conntrack/conntrack.ts'
import { findStale } from './conntrack/stale.ts'
import type { ProxyMetrics } from './metrics.ts'
import { applyCommands, readTable } from './nft/nft.ts'
import { ProxyModel } from './ruleset/model.ts'
import type { TableSettings } from './ruleset/table.ts'
import { type NodePlace, rulesOf, type ServiceRules } from './services/frontends.ts'

export interface SyncerOptions {
  settings: TableSettings
  /** What the informers know of a service, by `namespace/name`. */
  service: (name: string) => Service | undefined
  slices: (name: string) => EndpointSlice[]
  place: () => NodePlace
  metrics: ProxyMetrics
  logger: Logger
}

/** Brings the kernel to what services say. Its methods must not overlap: the caller runs one at a time. */
export class Syncer {
  readonly #o: SyncerOptions
  readonly #model: ProxyModel
  /** Whether flows have to be looked through: UDP services changed since it was last done. */
  #checkFlows = true
  #warnedConntrack = false

  constructor(options: SyncerOptions) {
    this.#o = options
    this.#model = new ProxyModel(options.settings)
  }

  serviceNames(): string[] {
    return this.#model.serviceNames()
  }

  /** Health check node ports by service. */
  healthPorts(): Map<string, NonNullable<ServiceRules['health']>> {
    return new Map(this.#model.serviceNames().flatMap((name) => {
      const health = this.#model.rules(name)?.health
      return health ? [[name, health] as const] : []
    }))
  }

  /** Reads the table that an earlier process left, so that the first sync goes on with it. */
  async readFirst(): Promise<void> {
    this.#model.setActual(await readTable())
  }

  /** Reads the table anew; what differs from what should be is put right by the next sync. Gives whether anything had to be. */
  async verify(): Promise<boolean> {
    this.#model.setActual(await readTable())
    const { commands } = await this.#apply()
    this.#checkFlows ||= commands > 0
    return commands > 0
  }

  /** Computes these services again and edits the table. Throws ProxyError; then verify() must be called before the next sync. */
  async sync(names: Iterable<string>): Promise<{ commands: number }> {
    const place = this.#o.place()
    for (const name of names) {
      const service = this.#o.service(name)
      const before = this.#model.rules(name)
      const rules = service && rulesOf(service, this.#o.slices(name), place)
      if (this.#model.setService(name, rules) && [before, rules].some((one) => one?.frontends.some(({ key }) => key.includes(' . udp . ')))) this.#checkFlows = true
    }
    const result = await this.#apply()
    for (const policy of ['internal', 'external'] as const) {
      this.#o.metrics.noLocalEndpoints(policy, this.#model.serviceNames().filter((name) => this.#model.rules(name)?.noLocal.includes(policy)).length)
    }
    await this.#removeStaleFlows()
    return result
  }

  async #apply(): Promise<{ commands: number }> {
    if (!this.#model.dirty) return { commands: 0 }
    const { commands, done } = this.#model.commands()
    if (commands.length > 0) await applyCommands(commands)
    done()
    if (commands.length > 0) this.#o.logger.v(4).info('Changed rules', { commands: commands.length, first: commands[0] })
    return { commands: commands.length }
  }

  // After the rules: a client that sends right now must not find the old endpoint again.
  async #removeStaleFlows(): Promise<void> {
    if (!this.#checkFlows) return
    try {
      for (const flow of findStale(await listUdpFlows(), (key) => this.#model.frontend(key))) {
        this.#o.logger.v(2).info('Removing stale UDP flows', { ...flow })
        await deleteFlows(flow)
      }
      this.#checkFlows = false
    } catch (error) {
      // Rules are right all the same; without the tool UDP clients recover when their flow times out.
      if (!this.#warnedConntrack) this.#o.logger.error(error, 'Cannot remove stale UDP flows')
      this.#warnedConntrack = true
      this.#checkFlows = false
    }
  }
}
