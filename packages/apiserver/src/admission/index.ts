import type { AdmissionPlugin, ApiServerOptions, Authorizer, ResourceStore } from '../interfaces.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificate-requests.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { mutatingAdmissionPolicy } from './dynamic/mutating-admission-policy.ts'
import { validatingAdmissionPolicy } from './dynamic/validating-admission-policy.ts'
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './dynamic/webhooks.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { notActedOn } from './not-acted-on.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { priority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'

/** What plugins are made of. */
interface Parts { readonly store: ResourceStore, readonly authorizer: Authorizer }

/** The plugins there are, in upstream's order. All are on unless they are disabled or off by default. Adding one is a line here. */
const plugins: readonly { name: string, offByDefault?: boolean, create(parts: Parts): AdmissionPlugin }[] = [
  { name: 'NamespaceLifecycle', create: ({ store }) => namespaceLifecycle(store) },
  { name: 'LimitRanger', create: ({ store }) => limitRanger(store) },
  { name: 'ServiceAccount', create: ({ store }) => serviceAccount(store) },
  { name: 'NodeRestriction', create: ({ store }) => nodeRestriction(store) },
  { name: 'TaintNodesByCondition', create: () => taintNodesByCondition },
  { name: 'PodSecurity', create: ({ store }) => podSecurity(store) },
  { name: 'Priority', create: ({ store }) => priority(store) },
  { name: 'DefaultTolerationSeconds', create: () => defaultTolerationSeconds },
  { name: 'DefaultStorageClass', create: ({ store }) => defaultStorageClass(store) },
  { name: 'StorageObjectInUseProtection', create: () => storageObjectInUseProtection },
  { name: 'RuntimeClass', create: ({ store }) => runtimeClass(store) },
  { name: 'CertificateApproval', create: ({ authorizer }) => certificateApproval(authorizer) },
  { name: 'CertificateSigning', create: ({ authorizer }) => certificateSigning(authorizer) },
  { name: 'CertificateSubjectRestriction', create: () => certificateSubjectRestriction },
  { name: 'DefaultIngressClass', create: ({ store }) => defaultIngressClass(store) },
  { name: 'MutatingAdmissionPolicy', create: ({ store, authorizer }) => mutatingAdmissionPolicy(store, authorizer) },
  { name: 'MutatingAdmissionWebhook', create: ({ store, authorizer }) => mutatingAdmissionWebhook(store, authorizer) },
  { name: 'ValidatingAdmissionPolicy', create: ({ store, authorizer }) => validatingAdmissionPolicy(store, authorizer) },
  { name: 'ValidatingAdmissionWebhook', create: ({ store, authorizer }) => validatingAdmissionWebhook(store, authorizer) },
  // What acts on what is known of a whole cluster alone: `berth server` switches it on.
  { name: 'NotActedOn', offByDefault: true, create: () => notActedOn },
  // The last one: what it lets in is counted.
  { name: 'ResourceQuota', create: ({ store }) => resourceQuota(store) },
]

/** Upstream's other plugins: disabling them is no error (they are off), enabling them is refused. */
const notBuilt = new Set([
  'AlwaysAdmit', 'AlwaysDeny', 'AlwaysPullImages', 'ClusterTrustBundleAttest',
  'DenyServiceExternalIPs', 'EventRateLimit', 'ExtendedResourceToleration', 'ImagePolicyWebhook', 'LimitPodHardAntiAffinityTopology',
  'NamespaceAutoProvision', 'NamespaceExists', 'NodeDeclaredFeatureValidator', 'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize', 'PodNodeSelector', 'PodTolerationRestriction', 'PodTopologyLabels',
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
export function createAdmission(options: Pick<ApiServerOptions, 'enableAdmissionPlugins' | 'disableAdmissionPlugins'>, store: ResourceStore, authorizer: Authorizer): AdmissionPlugin[] {
  checkAdmissionPlugins(options)
  return plugins.filter((p) => (p.offByDefault !== true || options.enableAdmissionPlugins.includes(p.name)) && !options.disableAdmissionPlugins.includes(p.name)).map((p) => p.create({ store, authorizer }))
}
