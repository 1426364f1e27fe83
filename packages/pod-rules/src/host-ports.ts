import type { Pod } from '@berth/api/types/core/v1'

/** A port of the host that a pod takes. */
export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

const wildcards = new Set(['', '0.0.0.0', '::'])

/** The host ports that a pod takes: those of its containers and of its sidecars. */
export function hostPortsOf(pod: Pick<Pod, 'spec'>): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  return [...pod.spec.containers, ...sidecars].flatMap((container) => (container.ports ?? [])
    .filter((port) => (port.hostPort ?? 0) > 0)
    .map((port) => ({ ip: port.hostIP ?? '', protocol: port.protocol ?? 'TCP', port: port.hostPort ?? 0 })))
}

/** Whether two host ports cannot both be had: same protocol and number, on the same address or one of them on all. */
export function hostPortsConflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || wildcards.has(a.ip) || wildcards.has(b.ip))
}
