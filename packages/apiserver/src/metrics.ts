// The server's metrics, under upstream's names.
import { Counter, Gauge, Histogram, Registry as MetricsRegistry } from 'prom-client'
import type { RequestInfo } from './interfaces.ts'

const durationBuckets = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]

export interface ServerMetrics {
  registry: MetricsRegistry
  /** Counts a finished request; `seconds` is how long it took to its last byte (long-running ones count without duration). */
  observe(info: RequestInfo, method: string, code: number, seconds: number, longRunning: boolean, dryRun: boolean, bytes: number): void
  inflight(kind: 'readOnly' | 'mutating', change: 1 | -1): void
  /** Counts a request that was refused in self-defence. */
  terminated(info: RequestInfo, method: string, code: number): void
  longRunning(info: RequestInfo, change: 1 | -1): void
}

export interface MetricsSources {
  storageObjects(): Iterable<{ group: string, resource: string, count: number }>
  storageBytes(): number
  /** Names the storage in its metric. */
  storageClusterId: string
  resourceVersion(): number
}

export function createMetrics(sources: MetricsSources): ServerMetrics {
  const registry = new MetricsRegistry()
  const registers = [registry]
  const resourceLabels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component']
  const requests = new Counter({
    name: 'apiserver_request_total', help: 'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    labelNames: [...resourceLabels, 'dry_run', 'code'], registers,
  })
  const durations = new Histogram({
    name: 'apiserver_request_duration_seconds', help: 'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
    labelNames: [...resourceLabels, 'dry_run'], buckets: durationBuckets, registers,
  })
  const sizes = new Histogram({
    name: 'apiserver_response_sizes', help: 'Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.',
    labelNames: resourceLabels, buckets: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9], registers,
  })
  const inflight = new Gauge({ name: 'apiserver_current_inflight_requests', help: 'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.', labelNames: ['request_kind'], registers })
  const longRunning = new Gauge({
    name: 'apiserver_longrunning_requests', help: 'Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
    labelNames: resourceLabels, registers,
  })
  new Gauge({
    name: 'apiserver_storage_objects', help: 'Number of stored objects at the time of last check split by kind.', labelNames: ['resource'], registers,
    collect() {
      for (const { group, resource, count } of sources.storageObjects()) this.set({ resource: group === '' ? resource : `${resource}.${group}` }, count)
    },
  })
  new Gauge({ name: 'apiserver_storage_size_bytes', help: 'Size of the storage database file physically allocated in bytes.', labelNames: ['storage_cluster_id'], registers, collect() {
    this.set({ storage_cluster_id: sources.storageClusterId }, sources.storageBytes())
  } })
  new Gauge({ name: 'process_resident_memory_bytes', help: 'Resident memory size in bytes.', registers, collect() {
    this.set(process.memoryUsage.rss())
  } })
  new Gauge({ name: 'process_start_time_seconds', help: 'Start time of the process since unix epoch in seconds.', registers }).set(Math.round(Date.now() / 1000 - process.uptime()))
  new Counter({ name: 'process_cpu_seconds_total', help: 'Total user and system CPU time spent in seconds.', registers, collect() {
    this.reset()
    const { user, system } = process.cpuUsage()
    this.inc((user + system) / 1e6)
  } })

  const terminations = new Counter({
    name: 'apiserver_request_terminations_total', help: 'Number of requests which apiserver terminated in self-defense.', labelNames: [...resourceLabels, 'code'], registers,
  })

  return {
    registry,
    observe(info, method, code, seconds, long, dryRun, bytes) {
      const labels = labelsOf(info, method)
      const dry = dryRun ? 'All' : ''
      requests.inc({ ...labels, dry_run: dry, code: String(code) })
      if (long) return
      durations.observe({ ...labels, dry_run: dry }, seconds)
      if (labels.verb === 'GET' || labels.verb === 'LIST') sizes.observe(labels, bytes)
    },
    terminated: (info, method, code) => terminations.inc({ ...labelsOf(info, method), code: String(code) }),
    inflight: (kind, change) => inflight.inc({ request_kind: kind }, change),
    longRunning: (info, change) => longRunning.inc(labelsOf(info, 'GET'), change),
  }
}

const verbNames: Record<string, string> = {
  get: 'GET', list: 'LIST', watch: 'WATCH', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE', deletecollection: 'DELETECOLLECTION',
}

function labelsOf(info: RequestInfo, method: string): Record<string, string> & { verb: string } {
  const scope = !info.isResourceRequest ? '' : info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster'
  const verb = info.subresource !== '' && connects.has(info.subresource) ? 'CONNECT' : info.isResourceRequest ? verbNames[info.verb] ?? named(method) : named(method)
  return { verb, group: info.apiGroup, version: info.apiVersion, resource: info.resource, subresource: info.isResourceRequest ? info.subresource : '', scope, component: 'apiserver' }
}

/** HTTP/2 takes any word for a method; of unknown ones there is one label. */
function named(method: string): string {
  return methods.has(method) ? method : 'OTHER'
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT'])
const connects = new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])
