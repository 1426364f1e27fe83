/** Counts the RPCs that are served. */
export interface CriMetrics {
  observe(rpc: string, seconds: number, failed: boolean): void
  /** Prometheus text. */
  text(): string
}

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Metrics by the names that dockershim's had, with the RPC as `operation_type`: totals, errors and latency. */
export function createCriMetrics(): CriMetrics {
  const operations = new Map<string, { total: number; errors: number; sum: number; counts: number[] }>()
  return {
    observe(rpc, seconds, failed) {
      const operation = operations.get(rpc) ?? { total: 0, errors: 0, sum: 0, counts: buckets.map(() => 0) }
      operations.set(rpc, operation)
      operation.total += 1
      operation.errors += failed ? 1 : 0
      operation.sum += seconds
      for (const [index, bound] of buckets.entries()) if (seconds <= bound) operation.counts[index] = (operation.counts[index] ?? 0) + 1
    },
    text() {
      const lines = ['# TYPE kubelet_docker_operations_total counter']
      for (const [rpc, { total }] of operations) lines.push(`kubelet_docker_operations_total{operation_type="${rpc}"} ${total}`)
      lines.push('# TYPE kubelet_docker_operations_errors_total counter')
      for (const [rpc, { errors }] of operations) lines.push(`kubelet_docker_operations_errors_total{operation_type="${rpc}"} ${errors}`)
      lines.push('# TYPE kubelet_docker_operations_duration_seconds histogram')
      for (const [rpc, { total, sum, counts }] of operations) {
        for (const [index, bound] of buckets.entries()) lines.push(`kubelet_docker_operations_duration_seconds_bucket{operation_type="${rpc}",le="${bound}"} ${counts[index]}`)
        lines.push(`kubelet_docker_operations_duration_seconds_bucket{operation_type="${rpc}",le="+Inf"} ${total}`)
        lines.push(`kubelet_docker_operations_duration_seconds_sum{operation_type="${rpc}"} ${sum}`)
        lines.push(`kubelet_docker_operations_duration_seconds_count{operation_type="${rpc}"} ${total}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}
