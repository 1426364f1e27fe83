import { Counter, Histogram, type Registry } from 'prom-client'

/** Counts the RPCs that are served. */
export interface CriMetrics {
  observe(rpc: string, seconds: number, failed: boolean): void
}

/** Metrics by the names that dockershim's had; the RPC is the `operation_type`. */
export function createMetrics(registry: Registry): CriMetrics {
  const labelNames = ['operation_type']
  const registers = [registry]
  const total = new Counter({ name: 'kubelet_docker_operations_total', help: 'Cumulative number of operations by operation type.', labelNames, registers })
  const errors = new Counter({ name: 'kubelet_docker_operations_errors_total', help: 'Cumulative number of operation errors by operation type.', labelNames, registers })
  const duration = new Histogram({
    name: 'kubelet_docker_operations_duration_seconds',
    help: 'Latency in seconds of operations, by operation type.',
    labelNames,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  return {
    observe(rpc, seconds, failed) {
      total.inc({ operation_type: rpc })
      if (failed) errors.inc({ operation_type: rpc })
      duration.observe({ operation_type: rpc }, seconds)
    },
  }
}
