import { coordination, core } from '@berth/api'
import type { Lease } from '@berth/api/types/coordination/v1'
import { type Clock, isConflict, isNotFound, type KubeClient, type Logger, microTime } from '@berth/kube'

const namespace = 'kube-node-lease'
const maxRetryMs = 7000

/** Renews the node's Lease in kube-node-lease four times in its duration; makes it where it is missing. */
export function startNodeLease(options: { client: KubeClient; nodeName: string; durationSeconds: number; clock: Clock; logger: Logger; signal: AbortSignal }): void {
  const { client, nodeName, durationSeconds, clock, logger, signal } = options
  let lease: Lease | undefined
  let delay = 200

  const spec = (): Lease['spec'] => ({ holderIdentity: nodeName, leaseDurationSeconds: durationSeconds, renewTime: microTime(clock.now()) })
  const renew = async (): Promise<void> => {
    if (!lease) {
      try {
        lease = await client.get(coordination.leases, nodeName, { namespace, signal })
      } catch (error) {
        if (!isNotFound(error)) throw error
        const node = await client.get(core.nodes, nodeName, { signal })
        const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '' }]
        lease = await client.create(coordination.leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: nodeName, namespace, ownerReferences }, spec: spec() }, { signal })
        return
      }
    }
    lease = await client.update(coordination.leases, { ...lease, spec: { ...lease.spec, ...spec() } }, { signal })
  }
  const turn = async (): Promise<void> => {
    let next = (durationSeconds * 1000) / 4
    try {
      await renew()
      delay = 200
    } catch (error) {
      if (signal.aborted) return
      // Somebody else wrote it, or it is gone: read it again.
      lease = undefined
      if (!isConflict(error)) logger.error(error, 'Failed to ensure lease exists, will retry', { interval: `${delay}ms` })
      next = delay
      delay = Math.min(delay * 2, maxRetryMs)
    }
    if (!signal.aborted) timer = clock.setTimeout(() => void turn(), next)
  }
  let timer = clock.setTimeout(() => void turn(), 0)
  signal.addEventListener('abort', () => timer.cancel(), { once: true })
}
