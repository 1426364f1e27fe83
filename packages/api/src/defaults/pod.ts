import type { Container, Pod } from '../types/core/v1.ts'
import { defaultPodLevelResources } from './pod/pod-level-resources.ts'
import { defaultPodSpec } from './pod/spec.ts'
import { canonicalizeResources } from './quantities.ts'

/** A Pod: what its spec leaves out, and what only pods have (templates do not): requests from limits, service links, host ports. */
export function defaultPod(pod: Pod): void {
  pod.spec ??= { containers: [] }
  const { spec } = pod
  defaultPodSpec(spec)
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  for (const container of containers) requestLimits(container)
  defaultPodLevelResources(spec)
  spec.enableServiceLinks ??= true
  // Old objects may hold a negative time; pods, not templates, are read as if it were the shortest.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1
  if (spec.hostNetwork) for (const container of containers) for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
  defaultStatus(pod)
}

function requestLimits({ resources }: Container): void {
  if (!resources?.limits) return
  const requests = { ...resources.limits, ...resources.requests }
  if (Object.keys(requests).length > 0) resources.requests = requests
}

function defaultStatus({ status }: Pod): void {
  if (!status) return
  mirrorIps(status, 'podIP', 'podIPs')
  for (const list of [status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses]) {
    for (const container of list ?? []) for (const amounts of [container.allocatedResources, container.resources?.limits, container.resources?.requests]) canonicalizeResources(amounts)
  }
}

/** The one address and the first of all are the same; where they differ the one counts, for kubelets that know only it. */
function mirrorIps(status: NonNullable<Pod['status']>, one: 'podIP', all: 'podIPs'): void {
  const ip = status[one]
  if (ip && status[all]?.[0]?.ip !== ip) status[all] = [{ ip }]
  else if (!ip && status[all]?.[0]?.ip) status[one] = status[all][0].ip
}
