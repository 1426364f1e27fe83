import type { Container, Pod, Probe } from '@berth/api/types/core/v1'
import type { CriClient } from '@berth/cri'
import { expand } from '../pods/expansion.ts'
import { probeExec } from './exec.ts'
import { probeGrpc } from './grpc.ts'
import { httpTarget, probeHttp } from './http.ts'
import type { Outcome } from './outcome.ts'
import { probeTcp } from './tcp.ts'

/** The number behind a port that is given as a number or by the name of one of the container's ports. */
export function resolvePort(port: number | string, c: Container): number {
  const value = typeof port === 'number' ? port : (c.ports?.find((p) => p.name === port)?.containerPort ?? Number.parseInt(port, 10))
  if (!(value > 0 && value < 65_536)) throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${c.name}`)
  return value
}

/** Where a probe is made against. */
export interface ProbeTarget { pod: Pod; container: Container; containerId: string; podIp: string }

/** Runs a probe once. Throws where it cannot be made at all. */
export async function runProbe(cri: CriClient, probe: Probe, target: ProbeTarget): Promise<Outcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  const { container: c, podIp } = target
  if (probe.exec) {
    const env = new Map((c.env ?? []).map((e) => [e.name, e.value]))
    return probeExec(cri, target.containerId, (probe.exec.command ?? []).map((x) => expand(x, (name) => env.get(name))), timeoutMs)
  }
  if (probe.httpGet) {
    const { url, headers } = httpTarget(probe.httpGet, podIp, resolvePort(probe.httpGet.port, c))
    return probeHttp(url, headers, timeoutMs)
  }
  if (probe.tcpSocket) return probeTcp(probe.tcpSocket.host || podIp, resolvePort(probe.tcpSocket.port, c), timeoutMs)
  if (probe.grpc) return probeGrpc(podIp, probe.grpc.port, probe.grpc.service ?? '', timeoutMs)
  throw new Error(`missing probe handler for ${target.pod.metadata.namespace}/${target.pod.metadata.name}:${c.name}`)
}
