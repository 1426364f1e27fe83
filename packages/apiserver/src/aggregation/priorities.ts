// The order of groups and versions in discovery, and so of names that several groups have: what upstream gives its own groups.

export interface Priority { readonly group: number, readonly version: number }

const groups: Readonly<Record<string, readonly [group: number, versions: Readonly<Record<string, number>>]>> = {
  // Registered by nobody, and first of all.
  'apiregistration.k8s.io': [20001, { v1: 0 }],
  '': [18000, { v1: 1 }],
  'apps': [17800, { v1: 15 }],
  'events.k8s.io': [17750, { v1: 15 }],
  'authentication.k8s.io': [17700, { v1: 15 }],
  'authorization.k8s.io': [17600, { v1: 15 }],
  'autoscaling': [17500, { v2: 30, v1: 15 }],
  'batch': [17400, { v1: 15 }],
  'certificates.k8s.io': [17300, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'networking.k8s.io': [17200, { v1: 15, v1beta1: 9 }],
  'policy': [17100, { v1: 15 }],
  'rbac.authorization.k8s.io': [17000, { v1: 15 }],
  'storage.k8s.io': [16800, { v1: 15, v1beta1: 9, v1alpha1: 1 }],
  'apiextensions.k8s.io': [16700, { v1: 15 }],
  'admissionregistration.k8s.io': [16700, { v1: 15, v1beta1: 12, v1alpha1: 9 }],
  'scheduling.k8s.io': [16600, { v1: 15, v1alpha2: 2 }],
  'coordination.k8s.io': [16500, { v1: 15, v1beta1: 13, v1alpha2: 12 }],
  'node.k8s.io': [16300, { v1: 15 }],
  'discovery.k8s.io': [16200, { v1: 15 }],
  'resource.k8s.io': [16200, { v1: 21, v1beta2: 15, v1beta1: 9, v1alpha3: 1 }],
  'flowcontrol.apiserver.k8s.io': [16100, { v1: 21 }],
  'internal.apiserver.k8s.io': [16000, { v1alpha1: 9 }],
  'storagemigration.k8s.io': [15800, { v1beta1: 9 }],
}

/** What custom resources' versions are registered with. */
export const customPriority: Priority = { group: 1000, version: 100 }

/** The priorities of a built-in group version; undefined for any other. */
export function builtInPriority(group: string, version: string): Priority | undefined {
  const [ofGroup, versions] = groups[group] ?? []
  const ofVersion = versions?.[version]
  return ofGroup === undefined || ofVersion === undefined ? undefined : { group: ofGroup, version: ofVersion }
}
