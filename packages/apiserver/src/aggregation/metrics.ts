// The aggregator's metrics, under upstream's names.
import { apiregistration } from '@berth/api'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ResourceStore } from '../interfaces.ts'
import { isAvailable } from './api-services.ts'

/** Counts APIServices that become unavailable, and shows those that are. */
export interface AggregatorMetrics { becameUnavailable(name: string, reason: string): void }

export function aggregatorMetrics(registry: Registry, store: ResourceStore): AggregatorMetrics {
  const registers = [registry]
  new Gauge({
    name: 'aggregator_unavailable_apiservice', help: 'Gauge of APIServices which are marked as unavailable broken down by APIService name.', labelNames: ['name'], registers,
    collect() {
      this.reset()
      for (const service of store.list(apiregistration.apiservices)) this.set({ name: service.metadata.name }, isAvailable(service) ? 0 : 1)
    },
  })
  const total = new Counter({
    name: 'aggregator_unavailable_apiservice_total', help: 'Counter of APIServices which are marked as unavailable broken down by APIService name and reason.', labelNames: ['name', 'reason'], registers,
  })
  return { becameUnavailable: (name, reason) => total.inc({ name, reason }) }
}
