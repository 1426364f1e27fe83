import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** The kubelet's metrics, by upstream's names. */
export function createMetrics() {
  const registry = new Registry()
  const registers = [registry]
  return {
    registry,
    startedContainers: new Counter({ name: 'kubelet_started_containers_total', help: 'Cumulative number of containers started', labelNames: ['container_type'], registers }),
    startedPods: new Counter({ name: 'kubelet_started_pods_total', help: 'Cumulative number of pods started', registers }),
    startErrors: new Counter({ name: 'kubelet_started_containers_errors_total', help: 'Cumulative number of errors when starting containers', labelNames: ['container_type', 'code'], registers }),
    runningPods: new Gauge({ name: 'kubelet_running_pods', help: 'Number of pods that have a running pod sandbox', registers }),
    runningContainers: new Gauge({ name: 'kubelet_running_containers', help: 'Number of containers currently running', labelNames: ['container_state'], registers }),
    desiredPods: new Gauge({ name: 'kubelet_desired_pods', help: 'The number of pods the kubelet is being instructed to run', labelNames: ['static'], registers }),
    workerSeconds: new Histogram({
      name: 'kubelet_pod_worker_duration_seconds', help: 'Duration in seconds to sync a single pod', labelNames: ['operation_type'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10], registers,
    }),
    relistSeconds: new Histogram({
      name: 'kubelet_pleg_relist_duration_seconds', help: 'Duration in seconds for relisting pods in PLEG', buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10], registers,
    }),
    runtimeOperations: new Counter({ name: 'kubelet_runtime_operations_total', help: 'Cumulative number of runtime operations by operation type', labelNames: ['operation_type'], registers }),
    runtimeErrors: new Counter({ name: 'kubelet_runtime_operations_errors_total', help: 'Cumulative number of runtime operation errors by operation type', labelNames: ['operation_type'], registers }),
    runtimeSeconds: new Histogram({
      name: 'kubelet_runtime_operations_duration_seconds', help: 'Duration in seconds of runtime operations, by operation type', labelNames: ['operation_type'],
      buckets: [0.005, 0.0125, 0.03125, 0.078125, 0.1953125, 0.48828125, 1.220703125, 3.0517578125, 7.62939453125, 19.073486328125], registers,
    }),
    probes: new Counter({ name: 'prober_probe_total', help: 'Cumulative number of a liveness, readiness or startup probe for a container by result', labelNames: ['probe_type', 'result', 'container', 'pod', 'namespace', 'pod_uid'], registers }),
    nodeName: new Gauge({ name: 'kubelet_node_name', help: "The node's name. The count is always 1", labelNames: ['node'], registers }),
  }
}

export type KubeletMetrics = ReturnType<typeof createMetrics>
