import type { Container, EphemeralContainer, LifecycleHandler, Probe } from '../../types/core/v1.ts'
import { defaultPullPolicy } from '../image-name.ts'
import { canonicalizeResources } from '../quantities.ts'
import { defaultFieldRef } from './volumes.ts'

/** Defaults of a container of any kind. */
export function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image)
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const variable of container.env ?? []) {
    defaultFieldRef(variable.valueFrom?.fieldRef)
    if (variable.valueFrom?.resourceFieldRef) variable.valueFrom.resourceFieldRef.divisor ??= '0'
    if (variable.valueFrom?.fileKeyRef) variable.valueFrom.fileKeyRef.optional ??= false
  }
  canonicalizeResources(container.resources?.limits)
  canonicalizeResources(container.resources?.requests)
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) if (probe) defaultProbe(probe)
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) if (handler) defaultHttpGet(handler)
}

function defaultProbe(probe: Probe): void {
  defaultHttpGet(probe)
  if (probe.grpc) probe.grpc.service ??= ''
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
}

function defaultHttpGet(handler: Probe | LifecycleHandler): void {
  if (!handler.httpGet) return
  handler.httpGet.path ||= '/'
  handler.httpGet.scheme ||= 'HTTP'
}
