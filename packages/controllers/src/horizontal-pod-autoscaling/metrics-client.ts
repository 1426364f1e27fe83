// The three APIs of metrics, as other servers serve them behind the aggregation layer. Values are in thousandths.
import type { CrossVersionObjectReference } from '@berth/api/types/autoscaling/v2'
import type { APIGroup } from '@berth/api/types/meta/v1'
import { errorOf, errorText, parseDuration, parseQuantity, queryString, readText, type Clock, type KubeClient } from '@berth/kube'
import type { KindFinder } from '../common/kind-finder.ts'
import type { PodMetric, PodMetrics } from './pod-metrics.ts'

/** Where measurements come from. Every method rejects with the reason in upstream's words. */
export interface MetricsClient {
  /** A resource's use by each pod that the selector selects, or by one container of it. */
  ofResource(namespace: string, selector: string, resource: string, container: string | undefined): Promise<PodMetrics>
  /** A custom metric of each pod that the selector selects. */
  ofPods(namespace: string, selector: string, metric: string, metricSelector: string): Promise<PodMetrics>
  /** A custom metric of one object. */
  ofObject(namespace: string, object: CrossVersionObjectReference, metric: string, metricSelector: string): Promise<bigint>
  /** All values of an external metric. */
  external(namespace: string, metric: string, metricSelector: string): Promise<readonly bigint[]>
}

interface PodMetricsObject {
  metadata: { name: string }
  timestamp: string
  window: string
  containers?: { name: string; usage: Record<string, string> }[]
}

/** `windowSeconds` in v1beta2, `window` in v1beta1. */
interface MetricValue {
  describedObject: { name?: string }
  timestamp: string
  windowSeconds?: number
  window?: number
  value: string
}

const customGroup = 'custom.metrics.k8s.io'
const customVersions = ['v1beta2', 'v1beta1']
const defaultWindowMs = 60_000
/** How long the version of the custom metrics API is believed. */
const believedMs = 15_000

const milli = (quantity: string): bigint => parseQuantity(quantity).milliValue()

/** A client of metrics.k8s.io, custom.metrics.k8s.io and external.metrics.k8s.io. */
export function createMetricsClient(client: KubeClient, clock: Clock, kinds: KindFinder): MetricsClient {
  const get = async <T>(api: string, path: string, named: string): Promise<T> => {
    try {
      const response = await client.raw({ method: 'GET', path, headers: { accept: 'application/json' } })
      if (response.status !== 200) {
        const { message, code, status } = await errorOf(response)
        // What is not a refusal of the metrics server itself is worded as client-go words it.
        if (status.details?.name === undefined && code === 404) throw new Error(`the server could not find the requested resource (get ${named})`)
        if (code === 503) throw new Error(`the server is currently unable to handle the request (get ${named})`)
        throw new Error(message)
      }
      return JSON.parse(await readText(response.body)) as T
    } catch (error) {
      throw new Error(`unable to fetch metrics from ${api} metrics API: ${errorText(error)}`, { cause: error })
    }
  }

  let version: { path: string; at: number } | undefined
  const customBase = async (): Promise<string> => {
    if (version !== undefined && clock.now() - version.at < believedMs) return version.path
    const response = await client.raw({ method: 'GET', path: `/apis/${customGroup}`, headers: { accept: 'application/json' } })
    if (response.status !== 200) {
      const error = await errorOf(response)
      throw new Error(`unable to fetch metrics from custom metrics API: ${response.status === 404 ? `no custom metrics API (${customGroup}) registered` : error.message}`)
    }
    const group = JSON.parse(await readText(response.body)) as APIGroup
    const served = [group.preferredVersion?.version ?? '', ...group.versions.map((each) => each.version)]
    const chosen = served.find((each) => customVersions.includes(each))
    if (chosen === undefined) throw new Error('unable to fetch metrics from custom metrics API: no known available metric versions found')
    version = { path: `/apis/${customGroup}/${chosen}`, at: clock.now() }
    return version.path
  }

  return {
    async ofResource(namespace, selector, resource, container) {
      const { items = [] } = await get<{ items?: PodMetricsObject[] }>('resource', `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods${queryString({ labelSelector: selector })}`, 'pods.metrics.k8s.io')
      if (items.length === 0) throw new Error('no metrics returned from resource metrics API')
      return new Map(items.flatMap((item) => {
        const metric = resourceOf(item, resource, container)
        return metric === undefined ? [] : [[item.metadata.name, metric] as const]
      }))
    },

    async ofPods(namespace, selector, metric, metricSelector) {
      const path = `${await customBase()}/namespaces/${namespace}/pods/*/${encodeURIComponent(metric)}${queryString({ labelSelector: selector, metricLabelSelector: metricSelector })}`
      const { items = [] } = await get<{ items?: MetricValue[] }>('custom', path, `pods.${customGroup} *`)
      if (items.length === 0) throw new Error('no metrics returned from custom metrics API')
      return new Map(items.map((item) => {
        const seconds = item.windowSeconds ?? item.window
        return [item.describedObject.name ?? '', { value: milli(item.value), timestamp: Date.parse(item.timestamp), windowMs: seconds === undefined ? defaultWindowMs : seconds * 1000 }] as const
      }))
    },

    async ofObject(namespace, object, metric, metricSelector) {
      const group = object.apiVersion?.includes('/') === true ? object.apiVersion.split('/')[0] ?? '' : ''
      const base = await customBase()
      const query = queryString({ metricLabelSelector: metricSelector })
      let of = 'metrics'
      if (object.kind !== 'Namespace' || group !== '') {
        const resource = await kinds.find(group, object.kind).catch((error: unknown) => {
          throw new Error(`unable to fetch metrics from custom metrics API: unable to map kind ${group === '' ? object.kind : `${object.kind}.${group}`} to resource: ${errorText(error)}`, { cause: error })
        })
        of = `${resource.resource}${group === '' ? '' : `.${group}`}/${object.name}`
      }
      const { items = [] } = await get<{ items?: MetricValue[] }>('custom', `${base}/namespaces/${namespace}/${of}/${encodeURIComponent(metric)}${query}`, `${of.replace('/', `.${customGroup} `)}`)
      const [only] = items
      if (only === undefined || items.length !== 1) throw new Error(`unable to fetch metrics from custom metrics API: the custom metrics API server returned ${items.length} results when we asked for exactly one`)
      return milli(only.value)
    },

    async external(namespace, metric, metricSelector) {
      const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${encodeURIComponent(metric)}${queryString({ labelSelector: metricSelector })}`
      const { items = [] } = await get<{ items?: { value: string }[] }>('external', path, `${metric}.external.metrics.k8s.io`)
      if (items.length === 0) throw new Error('no metrics returned from external metrics API')
      return items.map(({ value }) => milli(value))
    },
  }
}

/** A pod's use of a resource; undefined where a container's is not known. */
function resourceOf({ containers = [], timestamp, window }: PodMetricsObject, resource: string, wanted: string | undefined): PodMetric | undefined {
  const counted = wanted === undefined ? containers : containers.filter(({ name }) => name === wanted)
  const usages = counted.map(({ usage }) => usage[resource])
  if (usages.length === 0 || usages.includes(undefined)) return undefined
  const value = usages.reduce((sum, usage) => sum + milli(usage ?? '0'), 0n)
  return { value, timestamp: Date.parse(timestamp), windowMs: parseDuration(window) ?? defaultWindowMs }
}
