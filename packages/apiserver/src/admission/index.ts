import type { AdmissionPlugin, ApiServerOptions, ResourceStore } from '../interfaces.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { priority } from './priority.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'

/** The plugins there are, in upstream's order. All are on unless they are disabled. Adding one is a line here. */
const plugins: readonly { name: string, create(store: ResourceStore): AdmissionPlugin }[] = [
  { name: 'NamespaceLifecycle', create: namespaceLifecycle },
  { name: 'ServiceAccount', create: serviceAccount },
  { name: 'NodeRestriction', create: nodeRestriction },
  { name: 'TaintNodesByCondition', create: () => taintNodesByCondition },
  { name: 'PodSecurity', create: podSecurity },
  { name: 'Priority', create: priority },
  { name: 'DefaultTolerationSeconds', create: () => defaultTolerationSeconds },
  { name: 'StorageObjectInUseProtection', create: () => storageObjectInUseProtection },
  { name: 'RuntimeClass', create: runtimeClass },
]

/** Upstream's other plugins: disabling them is no error (they are off), enabling them is refused. */
const notBuilt = new Set([
  'AlwaysAdmit', 'AlwaysDeny', 'AlwaysPullImages', 'CertificateApproval', 'CertificateSigning', 'CertificateSubjectRestriction', 'ClusterTrustBundleAttest',
  'DefaultIngressClass', 'DefaultStorageClass', 'DenyServiceExternalIPs', 'EventRateLimit', 'ExtendedResourceToleration', 'ImagePolicyWebhook', 'LimitPodHardAntiAffinityTopology',
  'LimitRanger', 'MutatingAdmissionPolicy', 'MutatingAdmissionWebhook', 'NamespaceAutoProvision', 'NamespaceExists', 'NodeDeclaredFeatureValidator', 'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize', 'PodNodeSelector', 'PodTolerationRestriction', 'PodTopologyLabels', 'ResourceQuota',
  'ValidatingAdmissionPolicy', 'ValidatingAdmissionWebhook',
])

/** Checks --enable-admission-plugins and --disable-admission-plugins; throws with upstream's words for unknown names. */
export function checkAdmissionPlugins(options: Pick<ApiServerOptions, 'enableAdmissionPlugins' | 'disableAdmissionPlugins'>): void {
  const built = new Set(plugins.map((p) => p.name))
  for (const name of options.enableAdmissionPlugins) {
    if (notBuilt.has(name)) throw new Error(`enable-admission-plugins plugin ${JSON.stringify(name)} is not built into this server; built in are ${[...built].join(', ')}`)
    if (!built.has(name)) throw new Error(`enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`)
    if (options.disableAdmissionPlugins.includes(name)) throw new Error(`${JSON.stringify(name)} in enable-admission-plugins and disable-admission-plugins overlapped`)
  }
  for (const name of options.disableAdmissionPlugins) if (!built.has(name) && !notBuilt.has(name)) throw new Error(`disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`)
}

/** The plugins that are on, in order. */
export function createAdmission(options: Pick<ApiServerOptions, 'enableAdmissionPlugins' | 'disableAdmissionPlugins'>, store: ResourceStore): AdmissionPlugin[] {
  checkAdmissionPlugins(options)
  return plugins.filter((p) => !options.disableAdmissionPlugins.includes(p.name)).map((p) => p.create(store))
}
