import { internalError, invalid } from '../errors.ts'
import { AllocationError } from './cluster-ip-allocator.ts'
import { requirePort } from './node-port-allocator.ts'
import type { PortBitmap } from './port-bitmap.ts'
import { allocatesNodePorts, needsHealthCheckPort, needsNodePort, nodePortsOf, type Spec } from './service-types.ts'

/** Node ports for a Service. */
export interface ChosenPorts {
  /** For each port of the spec its node port, 0 for none. */
  chosen: number[]
  /** The health check port, 0 for none. */
  healthCheck: number
  /** What must be taken that the Service did not hold before. */
  taken: number[]
}

/**
 * Chooses node ports for a Service: those it holds stay, those it asks for are checked, others are picked. Ports with the same number but another protocol share
 * one node port. Throws Invalid where a port that is asked for cannot be had, InternalError where none is left.
 */
export function choosePorts(name: string, spec: Spec, before: Spec | undefined, bitmap: PortBitmap, random: () => number): ChosenPorts {
  const held = new Set(before && needsNodePort(before) ? nodePortsOf(before) : [])
  const taken = new Set<number>()
  const byPort = new Map<number, number>()
  const pick = (what: string): number => {
    const port = bitmap.free(random, taken)
    if (port === undefined) throw internalError(new Error(`failed to allocate a ${what}: range is full`))
    taken.add(port)
    return port
  }
  const ports = spec.ports ?? []
  const chosen = ports.map((port, index) => {
    if (!port.nodePort && !allocatesNodePorts(spec)) return 0
    const shared = byPort.get(port.port)
    const wanted = port.nodePort || shared || (ports.find((p) => p.port === port.port && p.nodePort)?.nodePort ?? 0)
    const got = wanted === 0 ? pick('nodePort') : wanted
    if (wanted !== 0 && !held.has(wanted) && !taken.has(wanted)) {
      try {
        requirePort(bitmap, wanted, taken)
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error
        throw invalid({ group: '', kind: 'Service' }, name, [{ type: 'Invalid', field: `spec.ports[${index}].nodePort`, badValue: wanted, detail: error.message }])
      }
      taken.add(wanted)
    }
    if (shared === undefined) byPort.set(port.port, got)
    return got
  })
  return { chosen, healthCheck: healthCheckPort(spec, before, bitmap, taken, pick), taken: [...taken] }
}

function healthCheckPort(spec: Spec, before: Spec | undefined, bitmap: PortBitmap, taken: Set<number>, pick: (what: string) => number): number {
  if (!needsHealthCheckPort(spec)) return 0
  const wanted = spec.healthCheckNodePort ?? 0
  if (before && needsHealthCheckPort(before) && wanted !== 0 && wanted === before.healthCheckNodePort) return wanted
  if (wanted === 0) return pick('HealthCheck NodePort')
  try {
    requirePort(bitmap, wanted, taken)
  } catch (error) {
    throw internalError(new Error(`failed to allocate requested HealthCheck NodePort ${wanted}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }))
  }
  taken.add(wanted)
  return wanted
}
