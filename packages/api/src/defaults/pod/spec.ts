import type { PodSpec, PodTemplateSpec } from '../../types/core/v1.ts'
import { canonicalizeResources } from '../quantities.ts'
import { defaultContainer } from './containers.ts'
import { defaultVolume } from './volumes.ts'

/** Defaults of a pod's spec wherever it stands, in a Pod or in a template. */
export function defaultPodSpec(spec: PodSpec): void {
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) for (const container of list ?? []) defaultContainer(container)
  canonicalizeResources(spec.overhead)
  canonicalizeResources(spec.resources?.limits)
  canonicalizeResources(spec.resources?.requests)
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  // The old name of the field mirrors the new one.
  spec.serviceAccountName ||= spec.serviceAccount
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName
  else delete spec.serviceAccountName
}

/** Defaults of a workload's template; absent parts come to be. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  template.spec ??= { containers: [] }
  defaultPodSpec(template.spec)
}
