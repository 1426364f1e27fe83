import type { Pod } from '@berth/api/types/core/v1'
import { podAmounts } from '@berth/pod-rules'

const names = ['kube_pod_resource_request', 'kube_pod_resource_limit'] as const
const helps = {
  kube_pod_resource_request: 'Resources requested by workloads on the cluster, broken down by pod. This shows the resource usage the scheduler and kubelet expect per pod for resources along with the unit for the resource if any.',
  kube_pod_resource_limit: 'Resources limit for workloads on the cluster, broken down by pod. This shows the resource usage the scheduler and kubelet expect per pod for resources along with the unit for the resource if any.',
}

function unitOf(resource: string): string {
  if (resource === 'cpu') return 'cores'
  if (['memory', 'storage', 'ephemeral-storage'].includes(resource) || resource.startsWith('hugepages-')) return 'bytes'
  return resource.startsWith('attachable-volumes-') ? 'integer' : ''
}

/** A label's value as Prometheus' text format has it. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`
}

/** What each pod asks for and is bound by, as /metrics/resources serves it (upstream: metrics/resources). Pods that have ended are not to be given. */
export function resourceMetrics(pods: Iterable<Pod>): string {
  const lines: Record<(typeof names)[number], string[]> = { kube_pod_resource_request: [], kube_pod_resource_limit: [] }
  for (const pod of pods) {
    const { metadata, spec } = pod
    const labels = `namespace=${quoted(metadata.namespace ?? 'default')},pod=${quoted(metadata.name)},node=${quoted(spec.nodeName ?? '')},scheduler=${quoted(spec.schedulerName ?? 'default-scheduler')},priority=${quoted(spec.priority === undefined ? '' : String(spec.priority))}`
    for (const [name, of] of [['kube_pod_resource_request', 'requests'], ['kube_pod_resource_limit', 'limits']] as const) {
      for (const [resource, amount] of Object.entries(podAmounts(pod, { of }))) {
        if (amount !== 0) lines[name].push(`${name}{${labels},resource=${quoted(resource)},unit=${quoted(unitOf(resource))}} ${resource === 'cpu' ? amount / 1000 : amount}`)
      }
    }
  }
  return names.map((name) => `# HELP ${name} [STABLE] ${helps[name]}\n# TYPE ${name} gauge\n${lines[name].map((line) => `${line}\n`).join('')}`).join('')
}
